import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearchParams } from "wouter";
import type { Event } from "../api/types.ts";
import { usePurchase } from "../purchase/use-purchase.ts";
import { isUnderWay } from "../purchase/order-state.ts";
import { signInPath } from "../session/return-to.ts";
import { who } from "../session/session.ts";
import { useStore } from "../session/store.ts";
import { Availability } from "./availability.tsx";
import { OrderWords } from "./order-status.tsx";
import { Quantity } from "./quantity.tsx";

const QUANTITY_MAX = 10;

export function BuyPanel({ event }: { event: Event }): ReactNode {
  const { t } = useTranslation();
  const now = useStore(who);
  return (
    <section className="buy" aria-labelledby="buy-title">
      <h2 id="buy-title">{t("buy.title")}</h2>
      <Availability event={event} />
      {now.state === "signed-in" ? (
        <Buyer event={event} userId={now.user.id} />
      ) : (
        <Stranger event={event} known={now.state === "signed-out"} />
      )}
    </section>
  );
}

function isOver({ startsAt }: Event): boolean {
  return Date.parse(startsAt) <= Date.now();
}

function Buyer({ event, userId }: { event: Event; userId: string }): ReactNode {
  const { t } = useTranslation();
  const [quantity, setQuantity] = useQuantity(event);
  const purchase = usePurchase(userId, event.id);
  const { now } = purchase;
  const underWay = isUnderWay(now);
  const forSale = event.available > 0 && !isOver(event);
  return (
    <>
      {isOver(event) && <p>{t("buy.over")}</p>}
      {!isOver(event) && event.available <= 0 && !underWay && (
        <p className="soft">{t("buy.soldOut")}</p>
      )}
      {forSale && !underWay && (
        <Quantity
          value={quantity}
          max={Math.min(QUANTITY_MAX, event.available)}
          onChange={setQuantity}
        />
      )}
      {(forSale || underWay) && now.is !== "paused" && (
        <button
          type="button"
          className="button button-big"
          aria-disabled={underWay}
          onClick={() => purchase.buy(quantity)}
        >
          {underWay
            ? t("buy.busy")
            : now.is === "bought"
              ? t("buy.more", { count: quantity })
              : t("buy.buy", { count: quantity })}
        </button>
      )}
      <OrderWords purchase={purchase} />
    </>
  );
}

/** Whoever is not signed in comes back to the same page and the same number of tickets. */
function Stranger({ event, known }: { event: Event; known: boolean }): ReactNode {
  const { t } = useTranslation();
  const [quantity, setQuantity] = useQuantity(event);
  const [, navigate] = useLocation();
  if (isOver(event)) return <p>{t("buy.over")}</p>;
  if (event.available <= 0) return <p className="soft">{t("buy.soldOut")}</p>;
  return (
    <>
      <Quantity
        value={quantity}
        max={Math.min(QUANTITY_MAX, event.available)}
        onChange={setQuantity}
      />
      <button
        type="button"
        className="button button-big"
        aria-disabled={!known}
        onClick={() => known && navigate(signInPath(`/events/${event.id}?quantity=${quantity}`))}
      >
        {t("buy.signIn")}
      </button>
    </>
  );
}

function useQuantity({ available }: Event): [number, (quantity: number) => void] {
  const [params] = useSearchParams();
  const [chosen, setChosen] = useState(() => Number(params.get("quantity") ?? 1) || 1);
  return [Math.max(1, Math.min(Math.trunc(chosen), QUANTITY_MAX, available)), setChosen];
}
