import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Event } from "../api/types.ts";
import { download } from "../components/download.ts";
import { endOf, placeText } from "../components/format.ts";
import { useOrder } from "./use-tickets.ts";

/** Saves an order as a calendar file. Later files of the same order replace its entry. */
export function CalendarButton({ event, orderId }: { event: Event; orderId: string }): ReactNode {
  const { t } = useTranslation();
  const quantity = useOrder(orderId).tickets?.length ?? 1;
  const save = async (): Promise<void> => {
    const { orderCalendar } = await import("../../../lib/calendar/order-calendar.ts");
    const { name, status, startsAt, id } = event;
    const text = orderCalendar(
      {
        id: orderId,
        event: {
          name,
          location: placeText(event),
          startsAt,
          endsAt: endOf(event).toISOString(),
          status,
        },
        quantity,
        description: t("order.bought", { count: quantity }),
        url: `${location.origin}/events/${id}`,
      },
      Date.now(),
    );
    download(`${name}.ics`, "text/calendar", text);
  };
  return (
    <button type="button" className="button button-quiet" onClick={() => void save()}>
      {t("ticket.calendar")}
    </button>
  );
}
