import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { dayText } from "../components/format.ts";
import { Loading } from "../components/loading.tsx";
import { usePageTitle } from "../components/page-title.ts";
import { ProblemNotice } from "../components/problem-notice.tsx";
import { StatusText } from "../event/status-text.tsx";
import { useEvent } from "../event/use-event.ts";
import { AsOfNote } from "../tickets/as-of-note.tsx";
import { QrCode } from "../tickets/qr-code.tsx";
import { useOrder } from "../tickets/use-tickets.ts";
import { WhenWhere } from "./when-where.tsx";

/** All codes of an order on one page, three tickets on a sheet of A4. */
export function PrintPage({ orderId, holder }: { orderId: string; holder: string }): ReactNode {
  const { t } = useTranslation();
  const { tickets, asOf, error, failureCount, refetch } = useOrder(orderId);
  const eventId = tickets?.[0]?.eventId;
  const { data: event } = useEvent(eventId ?? "", undefined, eventId !== undefined);
  usePageTitle(t("wholeOrder.printTitle"));
  return (
    <>
      <div className="print-head">
        <h1>{t("wholeOrder.printTitle")}</h1>
        <AsOfNote asOf={asOf} />
        {error !== null && <ProblemNotice error={error} again={() => void refetch()} />}
        {tickets === undefined && error === null && <Loading failures={failureCount} />}
        {tickets?.length === 0 && <p className="lead">{t("wholeOrder.none")}</p>}
        <div className="actions">
          {tickets !== undefined && tickets.length > 0 && (
            <button type="button" className="button" onClick={() => print()}>
              {t("ticket.print")}
            </button>
          )}
          <Link href={`/orders/${orderId}`} className="button button-quiet">
            {t("wholeOrder.back")}
          </Link>
        </div>
      </div>
      {tickets?.map((ticket, index) => (
        <article key={ticket.id} className="printed-ticket">
          <QrCode code={ticket.code} />
          <div>
            <p className="kicker">
              {t("wholeOrder.ticketOf", { place: index + 1, count: tickets.length })}
            </p>
            <h2>{ticket.eventName}</h2>
            <StatusText status={ticket.eventStatus} />
            <p>{dayText(ticket.eventDate)}</p>
            <p>
              <WhenWhere event={event} location={ticket.location} />
            </p>
            <p>{holder}</p>
            <p className="number">{ticket.id}</p>
          </div>
        </article>
      ))}
    </>
  );
}
