import { type ReactNode, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { momentText } from "../components/format.ts";
import { useOnline } from "../components/offline-notice.tsx";
import { useProblemText } from "../components/problem-notice.tsx";
import type { FollowedPurchase } from "../purchase/use-purchase.ts";

type OrderStatusProps = { purchase: FollowedPurchase };

/** Shows the state of the order. A live region: screen readers announce each change. */
export function OrderStatus({ purchase }: OrderStatusProps): ReactNode {
  const region = useRef<HTMLDivElement>(null);
  const { is } = purchase.order;
  // On small screens the region may be below the fold.
  useLayoutEffect(() => {
    if (is !== "idle") region.current?.scrollIntoView({ block: "nearest" });
  }, [is]);
  return (
    <div role="status" className="order" ref={region}>
      <OrderText purchase={purchase} />
    </div>
  );
}

function OrderText({ purchase: { order, resume, drop } }: OrderStatusProps): ReactNode {
  const { t } = useTranslation();
  const problemText = useProblemText();
  switch (order.is) {
    case "idle":
      return null;
    case "sending":
    case "waiting":
      // During the first try the button's own text is enough.
      return order.tries === 0 && !order.outcomeUnknown ? null : (
        <Retrying outcomeUnknown={order.outcomeUnknown} />
      );
    case "paused": {
      const { sinceMs, quantity } = order.pending;
      return (
        <div className="notice notice-warn">
          <p>
            {order.outcomeUnknown
              ? t("order.paused", { when: momentText(new Date(sinceMs).toISOString()) })
              : t("order.pausedNothing")}
          </p>
          <div className="actions">
            <button type="button" className="button" onClick={resume}>
              {t("order.goOn", { count: quantity })}
            </button>
            <button type="button" className="button button-quiet" onClick={drop}>
              {t(order.outcomeUnknown ? "order.forget" : "order.stop")}
            </button>
          </div>
        </div>
      );
    }
    case "bought":
      return (
        <div className="notice notice-good">
          <h3>{t("order.bought", { count: order.purchase.quantity })}</h3>
          <ul>
            {order.purchase.tickets.map(({ id }, index) => (
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
          <p>{problemText(order.problem)}</p>
        </div>
      );
    default:
      return order satisfies never;
  }
}

function Retrying({ outcomeUnknown }: { outcomeUnknown: boolean }): ReactNode {
  const { t } = useTranslation();
  const online = useOnline();
  return (
    <div className="notice notice-warn">
      <p>{!online ? t("order.offline") : t(outcomeUnknown ? "order.inDoubt" : "order.busy")}</p>
    </div>
  );
}
