import ical, { ICalEventStatus } from "ical-generator";

/** What a calendar shows of an order. Instants are RFC 3339. */
export type CalendarOrder = {
  /** The order's transaction id: calendars replace the entry of the same order by a later one. */
  id: string;
  event: {
    name: string;
    /** Place in one line, such as "Vienna, Austria". */
    location: string;
    startsAt: string;
    endsAt: string;
    status: "scheduled" | "postponed" | "cancelled";
  };
  /** Tickets of the order that are valid. The entry is cancelled if there is none. */
  quantity: number;
  /** Text of the entry in the reader's language, such as "2 tickets". */
  description: string;
  /** Page of the order or its event. */
  url: string;
};

const STATUS = {
  scheduled: ICalEventStatus.CONFIRMED,
  postponed: ICalEventStatus.TENTATIVE,
  cancelled: ICalEventStatus.CANCELLED,
} as const;

/** Writes an order as an iCalendar file with one VEVENT. */
export function orderCalendar(order: CalendarOrder, nowMs: number): string {
  return ordersCalendar([order], nowMs);
}

/**
 * Writes orders as an iCalendar file (RFC 5545), a VEVENT each. Times are in UTC, which needs no
 * time zone definitions. `nowMs` becomes DTSTAMP, by which calendars find the latest version.
 */
export function ordersCalendar(orders: readonly CalendarOrder[], nowMs: number): string {
  const calendar = ical({ prodId: { company: "Boxoffice", product: "Tickets" } });
  for (const { id, event, quantity, description, url } of orders)
    calendar.createEvent({
      id: `${id.slice(0, 32)}@boxoffice`,
      stamp: new Date(nowMs),
      start: new Date(event.startsAt),
      end: new Date(event.endsAt),
      summary: event.name,
      location: event.location,
      description,
      url,
      status: STATUS[quantity === 0 ? "cancelled" : event.status],
    });
  return `${calendar.toString()}\r\n`;
}
