import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { SessionDelayed } from "../account/session-delayed.tsx";
import type { Event } from "../api/types.ts";
import { usePurchase } from "../purchase/use-purchase.ts";
import { isUnderWay } from "../purchase/order-state.ts";
import { signInPath } from "../session/return-to.ts";
import { sessionState } from "../session/session.ts";
import { useStore } from "../session/store.ts";
import { Availability } from "./availability.tsx";
import { BuyBar } from "./buy-bar.tsx";
import { BuyMore } from "./buy-more.tsx";
import { OrderStatus } from "./order-status.tsx";
import { isForSale, type SaleState } from "./sale-state.ts";
import { Stepper } from "./stepper.tsx";
import { TooFew } from "./too-few.tsx";
import { useQuantity } from "./use-quantity.ts";

/** What the button says and does. Without `act` it is disabled. */
type Offer = { label: string; act?: (() => void) | undefined };

/** Sells tickets of an event. Its button and its choice stay the same elements in all states. */
export function BuyPanel({ event, state }: { event: Event; state: SaleState }): ReactNode {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const session = useStore(sessionState);
  const [quantity, setQuantity] = useQuantity();
  const userId = session.state === "signed-in" ? session.user.id : undefined;
  const purchase = usePurchase(userId, event.id);
  const { order, tickets, buy, resume } = purchase;
  const [first] = tickets;
  const left = Math.max(0, event.available);
  const forSale = isForSale(state);
  const underWay = isUnderWay(order);

  const offer = (): Offer => {
    if (order.is === "paused")
      return { label: t("order.goOn", { count: order.pending.quantity }), act: resume };
    if (underWay) return { label: t("buy.busy") };
    if (first !== undefined)
      return { label: t("buy.show"), act: () => navigate(`/tickets/${first.id}`) };
    if (!forSale) return { label: t(state === "soldOut" ? "event.soldOut" : "buy.closed") };
    if (session.state === "restoring") return { label: t("session.restoring") };
    if (userId === undefined)
      return {
        label: t("buy.signIn"),
        act: () => navigate(signInPath(`/events/${event.id}?quantity=${quantity}`)),
      };
    const act = quantity > left ? undefined : () => buy(quantity);
    return { label: t("buy.buy", { count: quantity }), act };
  };
  const choice = (): ReactElement | null => {
    if (first !== undefined && (forSale || underWay))
      return <BuyMore key="more" left={left} locked={underWay} onBuy={buy} />;
    if (first !== undefined || !(forSale || underWay)) return null;
    return (
      <Stepper key="step" value={quantity} left={left} locked={underWay} onChange={setQuantity} />
    );
  };
  const choosing = forSale && !underWay && first === undefined;
  return (
    <section className="buy" aria-labelledby="buy-title">
      <h2 id="buy-title">{t("buy.title")}</h2>
      <Availability event={event} state={state} />
      <BuyBar {...offer()} choice={choice()}>
        <OrderStatus purchase={purchase} />
        {choosing && <TooFew quantity={quantity} left={left} />}
        {choosing && session.state === "delayed" && (
          <div className="order">
            <SessionDelayed />
          </div>
        )}
      </BuyBar>
    </section>
  );
}
