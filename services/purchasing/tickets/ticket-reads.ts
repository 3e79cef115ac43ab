import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import { withTimeout } from "../../../lib/concurrency/clock.ts";
import { type Connection, orRetryLater } from "../../../lib/database/pool.ts";
import type { Metrics } from "../../../lib/observability/metrics.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import type { Ticket } from "../worker/ports.ts";
import { createPostgresWatch } from "./postgres-watch.ts";
import { createTicketCopies, type Found } from "./ticket-copies.ts";
import { createTicketLists, type ListQuestion, pageFrom, type TicketPage } from "./ticket-list.ts";
import { createListBuilder } from "./list-builder.ts";
import { readTicket, readTransaction, type TransactionView } from "./ticket-queries.ts";

/** `dataAsOf`: PostgreSQL is down, and the value comes from a copy of that time. */
export type Marked<T> = T & { dataAsOf?: string };

export type TicketReads = {
  ticket(userId: string, ticketId: string): Promise<Answer<Marked<Ticket>>>;
  transaction(userId: string, transactionId: string): Promise<Answer<Marked<TransactionView>>>;
  list(question: ListQuestion): Promise<Answer<Marked<TicketPage>>>;
  /** A worker somewhere has lost a write of copies. */
  doubt(): void;
  /** These customers have bought, and Redis has no list of theirs. */
  unlisted(userIds: readonly string[]): void;
  start(): void;
  close(): void;
};
export type WithTicketReads = { ticketReads: TicketReads };

type Source = "redis" | "postgres" | "stale";
type Read = "list" | "ticket" | "transaction";
const SOURCES: readonly Source[] = ["redis", "postgres", "stale"];
const READS: readonly Read[] = ["list", "ticket", "transaction"];

/** PostgreSQL gets this long before a copy answers. An answer is promised within 500 ms. */
const POSTGRES_PATIENCE_MS = 250;

/**
 * Reads tickets, transactions and lists. Copies in Redis answer for tickets and transactions as
 * long as they are trusted, and for everything while PostgreSQL is down. Lists are read from
 * PostgreSQL while it answers: a list must show a sale whose worker died before it wrote a copy.
 * See ADR-0070.
 */
export function createTicketReads(
  database: Connection,
  redis: RedisClient,
  metrics: Metrics | undefined,
  transactionSecret: string,
): TicketReads {
  const copies = createTicketCopies(redis);
  const lists = createTicketLists(database);
  const watch = createPostgresWatch(database);
  const builder = createListBuilder(lists, copies, () => watch.isAway());
  const counters = metrics?.counters(
    "boxoffice_ticket_reads_total",
    "Reads of tickets, transactions and lists, by source. stale: a copy, while PostgreSQL is down.",
    ["read", "source"],
  );
  for (const read of READS) for (const source of SOURCES) counters?.child(read, source);

  const answerOf = <T>(read: Read, source: Source, answer: Answer<T>): Answer<T> => {
    if (counters !== undefined) counters.child(read, source).value += 1;
    return answer;
  };
  const fromCopy = <T extends object>(
    read: Read,
    { value, asOfMs }: Pick<Found<T>, "value" | "asOfMs">,
  ): Answer<Marked<T>> =>
    watch.isAway()
      ? answerOf(read, "stale", marked(value, asOfMs))
      : answerOf(read, "redis", accepted(value));

  /** Answers from PostgreSQL, or from `stale` if that is down. */
  const query = async <T extends object>(
    read: Read,
    work: () => Promise<Answer<T>>,
    stale: () => Promise<Pick<Found<T>, "value" | "asOfMs"> | undefined>,
  ): Promise<Answer<Marked<T>>> => {
    const orStale = async (): Promise<Answer<Marked<T>> | undefined> => {
      const found = await stale();
      return found && answerOf(read, "stale", marked(found.value, found.asOfMs));
    };
    const copied = watch.isAway() ? await orStale() : undefined;
    if (copied !== undefined) return copied;
    const answering = orRetryLater(work);
    // It may reject later, when a copy has answered.
    answering.catch(() => undefined);
    const early = await withTimeout(answering, POSTGRES_PATIENCE_MS);
    const failed = early === undefined || (!early.ok && early.refusal.code === "TRY_AGAIN");
    const late = failed ? await orStale() : undefined;
    return late ?? answerOf(read, "postgres", await answering);
  };

  return {
    async ticket(userId, ticketId) {
      const found = await copies.ticket(userId, ticketId);
      if (found?.trusted === true) return fromCopy("ticket", found);
      return query(
        "ticket",
        async () => {
          const ticket = await readTicket(database, userId, ticketId);
          return ticket === undefined ? refused("TICKET_NOT_FOUND") : accepted(ticket);
        },
        async () => found ?? listed(await copies.list(userId), ticketId),
      );
    },

    async transaction(userId, transactionId) {
      const found = await copies.transaction(userId, transactionId);
      if (found?.trusted === true) return fromCopy("transaction", found);
      return query(
        "transaction",
        async () => {
          const transaction = await readTransaction(
            database,
            userId,
            transactionId,
            transactionSecret,
          );
          return transaction === undefined
            ? refused("TRANSACTION_NOT_FOUND")
            : accepted(transaction);
        },
        () => Promise.resolve(found),
      );
    },

    list(question) {
      const asOfMs = Date.now();
      return query<TicketPage>(
        "list",
        async () => {
          const page = await lists(question);
          builder.seen(question, page, asOfMs);
          return accepted(page);
        },
        async () => {
          const list = await copies.list(question.userId);
          return list && { value: pageFrom(list.tickets, question), asOfMs: list.asOfMs };
        },
      );
    },

    doubt: () => copies.doubt(),
    unlisted: (userIds) => builder.build(userIds),
    start: () => watch.start(),
    close() {
      watch.stop();
      builder.stop();
    },
  };
}

function marked<T extends object>(value: T, asOfMs: number): Answer<Marked<T>> {
  return accepted({ ...value, dataAsOf: new Date(asOfMs).toISOString() });
}

function listed(
  list: { tickets: readonly Ticket[]; asOfMs: number } | undefined,
  ticketId: string,
): { value: Ticket; asOfMs: number } | undefined {
  const value = list?.tickets.find(({ id }) => id === ticketId);
  return list && value && { value, asOfMs: list.asOfMs };
}
