import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearchParams } from "wouter";
import { SessionDelayed } from "../account/session-delayed.tsx";
import { TICKETS_PER_PURCHASE_MAX } from "../api/limits.ts";
import type { Event } from "../api/types.ts";
import { usePurchase } from "../purchase/use-purchase.ts";
import { isUnderWay } from "../purchase/order-state.ts";
import { signInPath } from "../session/return-to.ts";
import { sessionState } from "../session/session.ts";
import { useStore } from "../session/store.ts";
import { Availability } from "./availability.tsx";
import { OrderStatus } from "./order-status.tsx";
import { Quantity } from "./quantity.tsx";

type BuyProps = { event: Event; quantity: number; onQuantity: (quantity: number) => void };

export function BuyPanel({ event }: { event: Event }): ReactNode {
  const { t } = useTranslation();
  const session = useStore(sessionState);
  // Kept here: the panel changes from `SignedOutPanel` to `BuyerPanel` when a session is restored.
  const [quantity, setQuantity] = useQuantity(event);
  const props = { event, quantity, onQuantity: setQuantity };
  return (
    <section className="buy" aria-labelledby="buy-title">
      <h2 id="buy-title">{t("buy.title")}</h2>
      {event.status === "scheduled" ? (
        <Availability event={event} />
      ) : (
        <p>{t(`buy.${event.status}`)}</p>
      )}
      {session.state === "signed-in" ? (
        <BuyerPanel {...props} userId={session.user.id} />
      ) : (
        <SignedOutPanel {...props} state={session.state} />
      )}
    </section>
  );
}

function isOver({ startsAt }: Event): boolean {
  return Date.parse(startsAt) <= Date.now();
}

function BuyerPanel({
  event,
  quantity,
  onQuantity,
  userId,
}: BuyProps & { userId: string }): ReactNode {
  const { t } = useTranslation();
  const purchase = usePurchase(userId, event.id);
  const { order } = purchase;
  const underWay = isUnderWay(order);
  const planned = event.status === "scheduled";
  const forSale = planned && event.available > 0 && !isOver(event);
  return (
    <>
      {planned && isOver(event) && <p>{t("buy.over")}</p>}
      {planned && !isOver(event) && event.available <= 0 && !underWay && (
        <p className="soft">{t("buy.soldOut")}</p>
      )}
      {forSale && !underWay && (
        <Quantity value={quantity} max={quantityMax(event)} onChange={onQuantity} />
      )}
      {(forSale || underWay) && order.is !== "paused" && (
        <button
          type="button"
          className="button button-big"
          aria-disabled={underWay}
          onClick={() => purchase.buy(quantity)}
        >
          {underWay
            ? t("buy.busy")
            : order.is === "bought"
              ? t("buy.more", { count: quantity })
              : t("buy.buy", { count: quantity })}
        </button>
      )}
      <OrderStatus purchase={purchase} />
    </>
  );
}

/** Leads to the sign-in page, and back to this event and number of tickets. */
function SignedOutPanel({
  event,
  quantity,
  onQuantity,
  state,
}: BuyProps & { state: "restoring" | "delayed" | "signed-out" }): ReactNode {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  if (event.status !== "scheduled") return null;
  if (isOver(event)) return <p>{t("buy.over")}</p>;
  if (event.available <= 0) return <p className="soft">{t("buy.soldOut")}</p>;
  return (
    <>
      <Quantity value={quantity} max={quantityMax(event)} onChange={onQuantity} />
      {state === "delayed" && <SessionDelayed />}
      {state === "restoring" ? (
        <button type="button" className="button button-big" aria-disabled>
          {t("session.restoring")}
        </button>
      ) : (
        <button
          type="button"
          className="button button-big"
          onClick={() => navigate(signInPath(`/events/${event.id}?quantity=${quantity}`))}
        >
          {t("buy.signIn")}
        </button>
      )}
    </>
  );
}

function quantityMax({ available }: Event): number {
  return Math.min(TICKETS_PER_PURCHASE_MAX, available);
}

function useQuantity(event: Event): [number, (quantity: number) => void] {
  const [params] = useSearchParams();
  const [chosen, setChosen] = useState(() => Number(params.get("quantity") ?? 1) || 1);
  return [Math.max(1, Math.min(Math.trunc(chosen), quantityMax(event))), setChosen];
}
