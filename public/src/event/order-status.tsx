import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { momentText } from "../components/format.ts";
import { useOnline } from "../components/offline-notice.tsx";
import { useProblemText } from "../components/problem-notice.tsx";
import type { FollowedPurchase } from "../purchase/use-purchase.ts";

type OrderStatusProps = { purchase: FollowedPurchase };

/** Shows the state of the order. A live region: screen readers announce each change. */
export function OrderStatus({ purchase }: OrderStatusProps): ReactNode {
  return (
    <div role="status" className="order">
      <OrderText purchase={purchase} />
    </div>
  );
}

function OrderText({ purchase: { order, tickets, drop } }: OrderStatusProps): ReactNode {
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
      const { sinceMs } = order.pending;
      return (
        <div className="notice notice-warn">
          <p>
            {order.outcomeUnknown
              ? t("order.paused", { when: momentText(new Date(sinceMs).toISOString()) })
              : t("order.pausedNothing")}
          </p>
          <button type="button" className="button button-quiet" onClick={drop}>
            {t(order.outcomeUnknown ? "order.forget" : "order.stop")}
          </button>
        </div>
      );
    }
    case "bought":
      return tickets.length === 0 ? null : (
        <div className="notice notice-good bought">
          <svg className="tick" viewBox="0 0 24 24" aria-hidden="true">
            <circle cx="12" cy="12" r="11" />
            <path d="M7 12.5l3.5 3.5L17 9" pathLength="1" />
          </svg>
          <h3>{t("order.bought", { count: tickets.length })}</h3>
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
