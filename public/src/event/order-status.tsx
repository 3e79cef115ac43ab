import { type ReactNode, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { momentText } from "../components/format.ts";
import { useOnline } from "../components/offline-notice.tsx";
import { useProblemWords } from "../components/problem-notice.tsx";
import type { Purchase } from "../purchase/order.ts";
import type { PurchaseState, UnderWay } from "../purchase/order-state.ts";

/** What is known of the order, no more and no less. Read out as it changes. */
export function OrderWords({
  purchase,
}: {
  purchase: Purchase & { now: PurchaseState };
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const { is } = purchase.now;
  // Below a tall picture it may stand out of view, and nobody should have to look for what became of an order.
  useLayoutEffect(() => {
    if (is !== "idle") place.current?.scrollIntoView({ block: "nearest" });
  }, [is]);
  return (
    <div role="status" className="order" ref={place}>
      <Words purchase={purchase} />
    </div>
  );
}

function Words({
  purchase: { now, goOn, forget },
}: {
  purchase: Purchase & { now: PurchaseState };
}): ReactNode {
  const { t } = useTranslation();
  const problemWords = useProblemWords();
  switch (now.is) {
    case "idle":
      return null;
    case "asking":
    case "waiting":
      // The first try needs no words beyond the button's.
      return now.tries === 0 && !now.inDoubt ? null : <StillTrying order={now} />;
    case "paused":
      return (
        <div className="notice notice-warn">
          <p>
            {now.inDoubt
              ? t("order.paused", { when: momentText(new Date(now.attempt.sinceMs).toISOString()) })
              : t("order.pausedNothing")}
          </p>
          <div className="actions">
            <button type="button" className="button" onClick={goOn}>
              {t("order.goOn", { count: now.attempt.quantity })}
            </button>
            <button type="button" className="button button-quiet" onClick={forget}>
              {t(now.inDoubt ? "order.forget" : "order.stop")}
            </button>
          </div>
        </div>
      );
    case "bought":
      return (
        <div className="notice notice-good">
          <h3>{t("order.bought", { count: now.purchase.quantity })}</h3>
          <ul>
            {now.purchase.tickets.map(({ id }, index) => (
              <li key={id}>
                <Link href={`/tickets/${id}`}>{t("order.ticket", { number: index + 1 })}</Link>
              </li>
            ))}
          </ul>
          <Link href="/tickets">{t("order.all")}</Link>
        </div>
      );
    case "refused":
      return (
        <div className="notice notice-bad">
          <p>{problemWords(now.problem)}</p>
        </div>
      );
    default:
      return now satisfies never;
  }
}

function StillTrying({ order: { inDoubt } }: { order: UnderWay }): ReactNode {
  const { t } = useTranslation();
  const online = useOnline();
  return (
    <div className="notice notice-warn">
      <p>{!online ? t("order.offline") : inDoubt ? t("order.inDoubt") : t("order.busy")}</p>
    </div>
  );
}
