import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Ticket } from "../api/types.ts";
import { StatusText } from "../event/status-text.tsx";
import { dayParts, dayText } from "../components/format.ts";

/** Tickets of one event that have the same status. */
export function TicketGroup({ tickets }: { tickets: readonly Ticket[] }): ReactNode {
  const { t } = useTranslation();
  const [first] = tickets;
  if (first === undefined) return null;
  const { weekday, day, month } = dayParts(first.eventDate);
  return (
    <article className="ticket-group">
      <p className="date-block" aria-hidden="true">
        <span>{weekday}</span>
        <b>{day}</b>
        <span>{month}</span>
      </p>
      <div>
        <h2>
          <Link href={`/events/${first.eventId}`}>{first.eventName}</Link>
        </h2>
        <p className="soft">
          {dayText(first.eventDate, "long")} · {first.location}
        </p>
        <StatusText status={first.eventStatus} />
        <ul className="ticket-links">
          {tickets.map((ticket, index) => (
            <li key={ticket.id}>
              <Link
                href={`/tickets/${ticket.id}`}
                className={ticket.status === "cancelled" ? "stub stub-cancelled" : "stub"}
              >
                {t("order.ticket", { number: index + 1 })}
              </Link>
            </li>
          ))}
        </ul>
        {[...Map.groupBy(tickets, ({ transactionId }) => transactionId)]
          .filter(([, order]) => order.length > 1 && first.status === "active")
          .map(([orderId, order]) => (
            <p key={orderId} className="order-link">
              <Link href={`/orders/${orderId}`}>
                {t("wholeOrder.link", { count: order.length })}
              </Link>
            </p>
          ))}
      </div>
    </article>
  );
}
