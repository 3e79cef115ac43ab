import type { Context } from "moleculer";
import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import { withTimeout } from "../../../lib/concurrency/clock.ts";
import { type Connection, orRetryLater } from "../../../lib/database/pool.ts";
import { isDamage } from "../../../lib/database/server-troubles.ts";
import { callerOf } from "../../../mixins/action.middleware.ts";
import type { Ticket } from "../worker/ports.ts";
import { TICKET_COLUMNS } from "../store/event-store.sql.ts";
import type { Metrics } from "../../../lib/observability/metrics.ts";
import type { PostgresWatch } from "./postgres-watch.ts";
import { withCode } from "./ticket-code.ts";
import type { Found, TicketCopies } from "./ticket-copies.ts";
import {
  type ListQuestion,
  pageFrom,
  readCursor,
  type TicketPage,
  writeCursor,
} from "./ticket-cursor.ts";

type ListedRow = Ticket & { sortDate: string };
/**
 * Lists a customer's tickets by event date, then id (which grows with the purchase). While an
 * import moves an event, its tickets show the new date and are still sorted by the old one. Rejects
 * if PostgreSQL does.
 */
export type TicketLists = (question: ListQuestion) => Promise<TicketPage>;

/** `dataAsOf`: PostgreSQL is down, and the value comes from a copy of that time. */
export type Marked<T> = T & { dataAsOf?: string };
export type ListReader = (question: ListQuestion) => Promise<Answer<Marked<TicketPage>>>;

export type Read = "list" | "ticket" | "transaction";
type Source = "redis" | "postgres" | "stale";
const SOURCES: readonly Source[] = ["redis", "postgres", "stale"];
const READS: readonly Read[] = ["list", "ticket", "transaction"];
type Count = (read: Read, source: Source) => void;
type Stale<T> = Pick<Found<T>, "value" | "asOfMs"> & { doubted?: boolean };

type ListParams = { status?: "active" | "cancelled"; limit?: number; cursor?: string };

/**
 * Action: lists the caller's tickets with their codes, by event date. Can refuse with:
 * VALIDATION_ERROR (an invalid cursor), TRY_AGAIN.
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
    this: { ticketReads: { list: ListReader }; transactionSecret: string },
    ctx: Context<ListParams>,
  ): Promise<Answer<Marked<TicketPage>>> {
    const { status, limit = 20, cursor } = ctx.params;
    const after = cursor === undefined ? undefined : readCursor(cursor);
    if (cursor !== undefined && after === undefined)
      return refused("VALIDATION_ERROR", { errors: [{ field: "cursor", rule: "cursor" }] });
    const { userId } = callerOf(ctx);
    const answer = await this.ticketReads.list({ userId, status, limit, after });
    if (!answer.ok) return answer;
    const items = answer.value.items.map((ticket) => withCode(this.transactionSecret, ticket));
    return accepted({ ...answer.value, items });
  },
} as const;

/** Counts reads by their source. */
export function createCount(metrics: Metrics | undefined) {
  const counters = metrics?.counters(
    "boxoffice_ticket_reads_total",
    "Reads of tickets, transactions and lists, by source. stale: a copy, while PostgreSQL is down.",
    ["read", "source"],
  );
  const counts = new Map(
    READS.flatMap((read) =>
      SOURCES.map((source) => [`${read} ${source}`, counters?.child(read, source)] as const),
    ),
  );
  return (read: Read, source: Source): void => {
    const counter = counts.get(`${read} ${source}`);
    if (counter !== undefined) counter.value += 1;
  };
}

/** PostgreSQL gets this long before a copy answers. An answer is promised within 500 ms. */
const POSTGRES_PATIENCE_MS = 250;

/**
 * Creates the function that asks PostgreSQL, or `stale` if that is down or slow. A doubted copy
 * answers only if PostgreSQL does not. `count` is told where each answer came from.
 */
export function createQuery(watch: Pick<PostgresWatch, "away">, count: Count) {
  return async <T extends object>(
    read: Read,
    work: () => Promise<Answer<T>>,
    stale: () => Promise<Stale<T> | undefined>,
  ): Promise<Answer<Marked<T>>> => {
    const copied = async (maybeDoubted: boolean): Promise<Answer<Marked<T>> | undefined> => {
      const found = await stale();
      if (found === undefined || (found.doubted === true && !maybeDoubted)) return undefined;
      count(read, "stale");
      return marked(found);
    };
    const early = watch.away ? await copied(false) : undefined;
    if (early !== undefined) return early;
    const answering = orRetryLater(work);
    // It may reject later, when a copy has answered.
    answering.catch(() => undefined);
    const inTime = await withTimeout(answering, POSTGRES_PATIENCE_MS);
    const soon = inTime === undefined ? await copied(watch.away) : undefined;
    if (soon !== undefined) return soon;
    const answer = await answering;
    const last = isAway(answer) ? await copied(true) : undefined;
    if (last !== undefined) return last;
    count(read, "postgres");
    return answer;
  };
}

function isAway(answer: Answer<object>): boolean {
  return !answer.ok && answer.refusal.code === "TRY_AGAIN";
}

/** The answer from a copy while PostgreSQL is down. */
export function marked<T extends object>({ value, asOfMs }: Stale<T>): Answer<Marked<T>> {
  return accepted({ ...value, dataAsOf: new Date(asOfMs).toISOString() });
}

/** An unchanged list is not kept again for so long. Names and dates of its events may change. */
const KEPT_MS = 10_000;
/** Customers whose lists are known to be kept. Cleared when Redis may have lost them. */
export type KeptLists = Map<string, { state: number; atMs: number }>;
const KEPT_MAX = 10_000;

/**
 * Creates the reader of lists, which are read from PostgreSQL while it answers: a list must show a
 * sale whose worker died before it wrote a copy. Each new list is shown to `seen`, which resolves
 * to false if it could not be kept. See ADR-0070.
 */
export function createListReader(
  query: ReturnType<typeof createQuery>,
  lists: TicketLists,
  copies: Pick<TicketCopies, "list">,
  seen: (question: ListQuestion, page: TicketPage, asOfMs: number) => Promise<boolean>,
  kept: KeptLists,
): ListReader {
  const show = (question: ListQuestion, page: TicketPage, atMs: number): void => {
    const { userId } = question;
    const before = kept.get(userId);
    const state = isComplete(question, page) ? stateOf(page) : before?.state;
    if (before?.state === state && atMs - (before?.atMs ?? -Infinity) < KEPT_MS) return;
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(userId, { state: state ?? -1, atMs });
    void seen(question, page, atMs).then((isKept) => isKept || kept.delete(userId));
  };

  return (question) => {
    const asOfMs = Date.now();
    return query<TicketPage>(
      "list",
      async () => {
        const page = await lists(question);
        show(question, page, asOfMs);
        return accepted(page);
      },
      async () => {
        const list = await copies.list(question.userId);
        return list && { value: pageFrom(list.tickets, question), asOfMs: list.asOfMs };
      },
    );
  };
}

export function isComplete({ status, after }: ListQuestion, { nextCursor }: TicketPage): boolean {
  return status === undefined && after === undefined && nextCursor === null;
}

/** Tickets are only ever added to a list, and cancelled for good: their numbers tell all. */
function stateOf({ items }: TicketPage): number {
  return items.reduce((sum, { status }) => sum + (status === "cancelled" ? 1_001 : 1_000), 0);
}

/** Rows of one statement. Limits how long its callers wait for each other. */
const ROWS_MAX = 2_000;

type Lists = (ListedRow[] | Promise<ListedRow[]>)[];
type Gathering = { asked: ListQuestion[]; answers: Promise<Lists> };

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
      return readEach(database, asked, limit + 1);
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
    const tickets = (await (await answers)[place]) ?? [];
    const rows = tickets.slice(0, limit).map(({ sortDate, ...ticket }) => ({ sortDate, ticket }));
    const last = tickets.length > limit ? rows.at(-1) : undefined;
    return {
      items: rows.map(({ ticket }) => ticket),
      nextCursor:
        last === undefined ? null : writeCursor({ eventDate: last.sortDate, id: last.ticket.id }),
    };
  };
}

/** Reads lists together, or each alone if the page of one of them is damaged. */
async function readEach(
  database: Connection,
  questions: readonly ListQuestion[],
  most: number,
): Promise<Lists> {
  try {
    return await readLists(database, questions, most);
  } catch (error) {
    if (questions.length === 1 || !isDamage(error)) throw error;
    return questions.map(async (one) => (await readLists(database, [one], most))[0] ?? []);
  }
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
