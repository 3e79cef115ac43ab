import type { Ticket } from "../worker/ports.ts";

export type TicketPage = { items: Ticket[]; nextCursor: string | null };
/** `eventDate`: the ticket's own, in whose order the list is. Behind the event's during a move. */
export type Position = { eventDate: string; id: string };
/** `after`: from behind this ticket on. */
export type ListQuestion = {
  userId: string;
  status: "active" | "cancelled" | undefined;
  limit: number;
  after: Position | undefined;
};

/** Answers a question from all tickets of its customer, which are in the order of lists. */
export function pageFrom(
  tickets: readonly Ticket[],
  { status, limit, after }: ListQuestion,
): TicketPage {
  const left = tickets.filter(
    (ticket) =>
      (status === undefined || ticket.status === status) &&
      (after === undefined || position(ticket) > position(after)),
  );
  const items = left.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    nextCursor: left.length > limit && last !== undefined ? writeCursor(last) : null,
  };
}

function position({ eventDate, id }: Position): string {
  return `${eventDate} ${id}`;
}

/** As PostgreSQL sorts lists. */
export function byPosition(one: Position, other: Position): number {
  return position(one) < position(other) ? -1 : 1;
}

export function writeCursor({ eventDate, id }: Position): string {
  return Buffer.from(position({ eventDate, id })).toString("base64url");
}

const CURSOR = /^(\d{4}-\d{2}-\d{2}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * Parses a cursor. Undefined if it is not ours. Nothing passes that PostgreSQL would not take for a
 * date and an id: other customers' lists are in the same statement.
 */
export function readCursor(text: string): Position | undefined {
  const [, eventDate, id] = CURSOR.exec(Buffer.from(text, "base64url").toString()) ?? [];
  if (eventDate === undefined || id === undefined || !isDate(eventDate)) return undefined;
  return writeCursor({ eventDate, id }) === text ? { eventDate, id } : undefined;
}

/** A day of the calendar, which has no 30th of February and no year 0. */
function isDate(text: string): boolean {
  const timeMs = Date.parse(`${text}T00:00:00Z`);
  return text >= "0001" && !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(text);
}
