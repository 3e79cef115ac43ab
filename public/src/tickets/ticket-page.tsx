import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { asProblem } from "../api/problem.ts";
import type { Event, Ticket } from "../api/types.ts";
import { Cover } from "../artwork/cover.tsx";
import { StatusText } from "../event/status-text.tsx";
import { useEvent } from "../event/use-event.ts";
import { dayText, momentText } from "../components/format.ts";
import { Loading } from "../components/loading.tsx";
import { NotFoundPage } from "../components/not-found-page.tsx";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { WhenWhere } from "../order/when-where.tsx";
import { AsOfNote } from "./as-of-note.tsx";
import { CalendarButton } from "./calendar-button.tsx";
import { CancelDialog } from "./cancel-dialog.tsx";
import { Pager } from "./pager.tsx";
import { QrCode } from "./qr-code.tsx";
import { useOrder, useTicket } from "./use-tickets.ts";
import { useWakeLock } from "./use-wake-lock.ts";

export function TicketPage({ ticketId, holder }: { ticketId: string; holder: string }): ReactNode {
  const { t } = useTranslation();
  const { data: ticket, error, failureCount, refetch } = useTicket(ticketId);
  usePageTitle(ticket?.eventName ?? t("ticket.page"));
  if (ticket !== undefined)
    return (
      <>
        <AsOfNote asOf={ticket.asOf} />
        <TicketDetails ticket={ticket} holder={holder} />
      </>
    );
  const code = error && asProblem(error).code;
  if (code === "TICKET_NOT_FOUND" || code === "VALIDATION_ERROR")
    return <NotFoundPage what="ticket" />;
  return (
    <>
      <h1 className="unseen">{t("ticket.page")}</h1>
      {error === null ? (
        <Loading failures={failureCount} />
      ) : (
        <ProblemNotice error={error} again={() => void refetch()} />
      )}
    </>
  );
}

function TicketDetails({ ticket, holder }: { ticket: Ticket; holder: string }): ReactNode {
  const { t } = useTranslation();
  const { data: event } = useEvent(ticket.eventId);
  const { tickets: order = [] } = useOrder(ticket.transactionId);
  const cancelled = ticket.status === "cancelled";
  const title = useFocusWhen(cancelled, ticket.id);
  useWakeLock(!cancelled);
  return (
    <article className={cancelled ? "ticket ticket-cancelled" : "ticket"}>
      <div className="ticket-stub">
        {!cancelled && <QrCode code={ticket.code} />}
        <div role="status">
          {cancelled && (
            <p className="void">
              {t("ticket.void", { when: momentText(ticket.cancelledAt ?? ticket.purchasedAt) })}
            </p>
          )}
        </div>
        <Pager ticket={ticket} />
      </div>
      <div className="ticket-main">
        <p className="kicker">{cancelled ? t("ticket.cancelled") : t("ticket.admitsOne")}</p>
        <h1 ref={title} tabIndex={-1}>
          {ticket.eventName}
        </h1>
        <StatusText status={ticket.eventStatus} />
        <p className="lead">{dayText(ticket.eventDate)}</p>
        <p>
          <WhenWhere event={event} location={ticket.location} />
        </p>
        <dl>
          <dt>{t("ticket.holder")}</dt>
          <dd>{holder}</dd>
          <dt>{t("ticket.number")}</dt>
          <dd className="number">{ticket.id}</dd>
          <dt>{t("ticket.bought")}</dt>
          <dd>{momentText(ticket.purchasedAt)}</dd>
        </dl>
      </div>
      {!cancelled && <Actions key={ticket.id} ticket={ticket} event={event} />}
      <p className="ticket-back">
        {order.length > 1 && (
          <>
            <Link href={`/orders/${ticket.transactionId}`}>
              {t("wholeOrder.link", { count: order.length })}
            </Link>{" "}
            ·{" "}
          </>
        )}
        <Link href="/tickets">{t("ticket.all")}</Link>
      </p>
      <div className="ticket-art">{event && <Cover event={event} />}</div>
    </article>
  );
}

/** Focuses the title once this ticket is cancelled: the button that did it is gone then. */
function useFocusWhen(cancelled: boolean, ticketId: string): RefObject<HTMLHeadingElement | null> {
  const title = useRef<HTMLHeadingElement>(null);
  const before = useRef({ cancelled, ticketId });
  useEffect(() => {
    const last = before.current;
    before.current = { cancelled, ticketId };
    if (cancelled && !last.cancelled && last.ticketId === ticketId)
      title.current?.focus({ preventScroll: true });
  }, [cancelled, ticketId]);
  return title;
}

function Actions({ ticket, event }: { ticket: Ticket; event: Event | undefined }): ReactNode {
  const { t } = useTranslation();
  const [confirming, setConfirming] = useState(false);
  const over = event !== undefined && Date.parse(event.startsAt) <= Date.now();
  return (
    <div className="actions">
      {event && <CalendarButton event={event} orderId={ticket.transactionId} />}
      <button type="button" className="button button-quiet" onClick={() => print()}>
        {t("ticket.print")}
      </button>
      {!over && (
        <button
          type="button"
          className="button button-quiet button-bad"
          onClick={() => setConfirming(true)}
        >
          {t("ticket.cancel")}
        </button>
      )}
      {confirming && <CancelDialog ticket={ticket} onClose={() => setConfirming(false)} />}
    </div>
  );
}
