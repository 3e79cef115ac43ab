import type { Context } from "moleculer";
import { type Answer, refused } from "../../../domain/refusal.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import { callerOf } from "../../../mixins/action.middleware.ts";
import type { Ticket } from "../worker/ports.ts";
import { TICKET_COLUMNS } from "../store/event-store.sql.ts";
import type { Marked, WithTicketReads } from "./ticket-reads.ts";

export type TicketPage = { items: Ticket[]; nextCursor: string | null };
/** `eventDate`: the ticket's own, in whose order the list is. Behind the event's during a move. */
type Position = { eventDate: string; id: string };
type ListedRow = Ticket & { sortDate: string };
/** `after`: from behind this ticket on. */
export type ListQuestion = {
  userId: string;
  status: "active" | "cancelled" | undefined;
  limit: number;
  after: Position | undefined;
};
/**
 * Lists a customer's tickets by event date, then id (which grows with the purchase). While an
 * import moves an event, its tickets show the new date and are still sorted by the old one. Rejects
 * if PostgreSQL does.
 */
export type TicketLists = (question: ListQuestion) => Promise<TicketPage>;

type ListParams = { status?: "active" | "cancelled"; limit?: number; cursor?: string };

/**
 * Action: lists the caller's tickets by event date. Can refuse with: VALIDATION_ERROR (an invalid
 * cursor), TRY_AGAIN.
 */
export const listTickets = {
  auth: "customer",
  params: {
    $$strict: true,
    status: { type: "enum", values: ["active", "cancelled"], optional: true },
    limit: { type: "number", integer: true, min: 1, max: 100, optional: true },
    cursor: { type: "string", max: 200, optional: true },
  },
  async handler(
    this: WithTicketReads,
    ctx: Context<ListParams>,
  ): Promise<Answer<Marked<TicketPage>>> {
    const { status, limit = 20, cursor } = ctx.params;
    const after = cursor === undefined ? undefined : readCursor(cursor);
    if (cursor !== undefined && after === undefined)
      return refused("VALIDATION_ERROR", { errors: [{ field: "cursor", rule: "cursor" }] });
    return this.ticketReads.list({ userId: callerOf(ctx).userId, status, limit, after });
  },
} as const;

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

/** Rows of one statement. Limits how long its callers wait for each other. */
const ROWS_MAX = 2_000;

type Gathering = { asked: ListQuestion[]; answers: Promise<ListedRow[][]> };

/**
 * Creates the reader of ticket lists. It always reads PostgreSQL, and combines all lists of one
 * turn of the event loop into one statement: for short lists the round trip costs more than the
 * rows.
 */
export function createTicketLists(database: Connection): TicketLists {
  /** By length of page, which a statement has one of. */
  const gathering = new Map<number, Gathering>();

  const begin = (limit: number): Gathering => {
    const asked: ListQuestion[] = [];
    const answers = new Promise(setImmediate).then(() => {
      if (gathering.get(limit)?.asked === asked) gathering.delete(limit);
      return readLists(database, asked, limit + 1);
    });
    const begun = { asked, answers };
    gathering.set(limit, begun);
    return begun;
  };

  return async (question) => {
    const { limit } = question;
    const { asked, answers } = gathering.get(limit) ?? begin(limit);
    const place = asked.push(question) - 1;
    if (asked.length * limit >= ROWS_MAX) gathering.delete(limit);
    const tickets = (await answers)[place] ?? [];
    const rows = tickets.slice(0, limit).map(({ sortDate, ...ticket }) => ({ sortDate, ticket }));
    const last = tickets.length > limit ? rows.at(-1) : undefined;
    return {
      items: rows.map(({ ticket }) => ticket),
      nextCursor:
        last === undefined ? null : writeCursor({ eventDate: last.sortDate, id: last.ticket.id }),
    };
  };
}

/** In the order of the questions, at most `most` tickets each. */
async function readLists(
  database: Connection,
  questions: readonly ListQuestion[],
  most: number,
): Promise<ListedRow[][]> {
  const [first = [], ...others] = questions.map(valuesOf);
  if (others.length === 0)
    return [await database.query<ListedRow>({ ...LIST_OF_ONE, values: [...first, most] })];
  const lists = questions.map((): ListedRow[] => []);
  const columns = first.map((value, index) => [value, ...others.map((values) => values[index])]);
  const rows = await database.query<ListedRow & { place: number }>({
    ...LISTS_OF_MANY,
    values: [...columns, most],
  });
  for (const { place, ...ticket } of rows) lists[place - 1]?.push(ticket);
  return lists;
}

function valuesOf({ userId, status, after }: ListQuestion): unknown[] {
  const { eventDate, id } = after ?? {
    eventDate: "-infinity",
    id: "00000000-0000-0000-0000-000000000000",
  };
  return [userId, status === undefined ? null : status === "active", eventDate, id];
}

/** Each of them a parameter or a column; the fifth parameter is the most rows. */
function listSql(userId: string, active: string, eventDate: string, id: string): string {
  return `
    SELECT ${TICKET_COLUMNS}, to_char(ticket.event_date, 'YYYY-MM-DD') AS "sortDate"
    FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id
    WHERE ticket.user_id = ${userId}
      AND (${active} IS NULL OR (ticket.cancelled_at IS NULL) = ${active})
      AND (ticket.event_date, ticket.id) > (${eventDate}, ${id})
    ORDER BY ticket.event_date, ticket.id LIMIT $5`;
}

/** A statement of its own: PostgreSQL would plan the one for many anew for each call. */
const LIST_OF_ONE = {
  name: "tickets-list",
  text: listSql("$1::uuid", "$2::boolean", "$3::date", "$4::uuid"),
} as const;

const LISTS_OF_MANY = {
  name: "tickets-lists",
  text: `
    SELECT asked.place::integer AS place, list.*
    FROM unnest($1::uuid[], $2::boolean[], $3::date[],
      $4::uuid[]) WITH ORDINALITY AS asked (user_id, active, event_date, id, place)
    CROSS JOIN LATERAL (${listSql("asked.user_id", "asked.active", "asked.event_date", "asked.id")})
      AS list
    ORDER BY place, list."sortDate", list.id`,
} as const;

function writeCursor({ eventDate, id }: Position): string {
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
