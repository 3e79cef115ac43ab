import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import type { Ticket } from "../api/types.ts";
import { useOrder } from "./use-tickets.ts";

/** Leads through the valid tickets of an order. Nothing if there is only one. */
export function Pager({ ticket }: { ticket: Ticket }): ReactNode {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const { tickets: order = [] } = useOrder(ticket.transactionId);
  const place = order.findIndex(({ id }) => id === ticket.id);
  if (place === -1 || order.length < 2) return null;
  const turn = (name: string, sign: string, to: Ticket | undefined): ReactNode => (
    <button
      type="button"
      className="button button-quiet"
      aria-label={name}
      aria-disabled={to === undefined}
      onClick={() => {
        if (to) navigate(`/tickets/${to.id}`, { replace: true, state: { keepsFocus: true } });
      }}
    >
      <span aria-hidden="true">{sign}</span>
    </button>
  );
  return (
    <nav className="pager" aria-label={t("ticket.pager")}>
      {turn(t("ticket.previous"), "‹", order[place - 1])}
      <p aria-live="polite">{t("ticket.place", { place: place + 1, count: order.length })}</p>
      {turn(t("ticket.next"), "›", order[place + 1])}
    </nav>
  );
}
