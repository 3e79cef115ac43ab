import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Ticket } from "../api/types.ts";
import { dayText, momentText } from "../components/format.ts";
import { Loading } from "../components/loading.tsx";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { StatusText } from "../event/status-text.tsx";
import { useEvent } from "../event/use-event.ts";
import { AsOfNote } from "../tickets/as-of-note.tsx";
import { CalendarButton } from "../tickets/calendar-button.tsx";
import { useOrder } from "../tickets/use-tickets.ts";
import { CancelSeveral } from "./cancel-several.tsx";
import { WhenWhere } from "./when-where.tsx";

/** The valid tickets of an order: to be shown, printed, or cancelled, several at once. */
export function OrderPage({ orderId }: { orderId: string }): ReactNode {
  const { t } = useTranslation();
  const { tickets, asOf, error, failureCount, refetch } = useOrder(orderId);
  const [first] = tickets ?? [];
  usePageTitle(first?.eventName ?? t("wholeOrder.page"));
  return (
    <>
      <AsOfNote asOf={asOf} />
      {error !== null && <ProblemNotice error={error} again={() => void refetch()} />}
      {tickets === undefined ? (
        <>
          <h1 className="unseen">{t("wholeOrder.page")}</h1>
          {error === null && <Loading failures={failureCount} />}
        </>
      ) : (
        <div className="order-page">
          <OrderHead tickets={tickets} orderId={orderId} />
          <CancelSeveral key={orderId} tickets={tickets} />
          <p>
            <Link href="/tickets">{t("ticket.all")}</Link>
          </p>
        </div>
      )}
    </>
  );
}

function OrderHead({
  tickets,
  orderId,
}: {
  tickets: readonly Ticket[];
  orderId: string;
}): ReactNode {
  const { t } = useTranslation();
  const [first] = tickets;
  if (first === undefined)
    return (
      <>
        <h1>{t("wholeOrder.page")}</h1>
        <p className="lead">{t("wholeOrder.none")}</p>
      </>
    );
  return <KnownOrder first={first} count={tickets.length} orderId={orderId} />;
}

function KnownOrder({
  first,
  count,
  orderId,
}: {
  first: Ticket;
  count: number;
  orderId: string;
}): ReactNode {
  const { t } = useTranslation();
  const { data: event } = useEvent(first.eventId);
  return (
    <>
      <div>
        <h1>
          <Link href={`/events/${first.eventId}`}>{first.eventName}</Link>
        </h1>
        <StatusText status={first.eventStatus} />
        <p className="lead">{dayText(first.eventDate)}</p>
        <p>
          <WhenWhere event={event} location={first.location} />
        </p>
        <p className="soft">
          {t("wholeOrder.lead", { count, when: momentText(first.purchasedAt) })}
        </p>
      </div>
      <div className="actions">
        <Link href={`/orders/${orderId}/print`} className="button">
          {t("wholeOrder.print")}
        </Link>
        {event && <CalendarButton event={event} orderId={orderId} />}
      </div>
    </>
  );
}
