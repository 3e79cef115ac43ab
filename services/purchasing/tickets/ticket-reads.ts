import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import type { Metrics } from "../../../lib/observability/metrics.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import type { Ticket } from "../worker/ports.ts";
import { createPostgresWatch } from "./postgres-watch.ts";
import { createTicketCopies, type Found } from "./ticket-copies.ts";
import {
  createListReader,
  createQuery,
  createTicketLists,
  type ListReader,
  type Marked,
  marked,
  type Read,
  type Source,
} from "./ticket-list.ts";
import { createListBuilder } from "./list-builder.ts";
import { readTicket, readTransaction, type TransactionView } from "./ticket-queries.ts";

export type TicketReads = {
  ticket(userId: string, ticketId: string): Promise<Answer<Marked<Ticket>>>;
  transaction(userId: string, transactionId: string): Promise<Answer<Marked<TransactionView>>>;
  list: ListReader;
  /** A worker somewhere has lost a write of copies. */
  doubt(): void;
  /** These customers have bought, and Redis has no list of theirs. */
  unlisted(userIds: readonly string[]): void;
  start(): void;
  close(): void;
};
export type WithTicketReads = { ticketReads: TicketReads };

const SOURCES: readonly Source[] = ["redis", "postgres", "stale"];
const READS: readonly Read[] = ["list", "ticket", "transaction"];

/**
 * Reads tickets, transactions and lists. Copies in Redis answer for tickets and transactions as
 * long as they are trusted, and for everything while PostgreSQL is down. See ADR-0070.
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
  const builder = createListBuilder(lists, copies, watch);
  const count = createCount(metrics);
  const query = createQuery(watch, count);

  const fromCopy = <T extends object>(read: Read, found: Found<T>): Answer<Marked<T>> => {
    count(read, watch.away ? "stale" : "redis");
    return watch.away ? marked(found) : accepted(found.value);
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

    list: createListReader(query, lists, copies, (...list) => builder.seen(...list)),
    doubt: () => copies.doubt(),
    unlisted: (userIds) => builder.build(userIds),
    start: () => watch.start(),
    close() {
      watch.stop();
      builder.stop();
    },
  };
}

function createCount(metrics: Metrics | undefined) {
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

function listed(
  list: { tickets: readonly Ticket[]; asOfMs: number } | undefined,
  ticketId: string,
): { value: Ticket; asOfMs: number } | undefined {
  const value = list?.tickets.find(({ id }) => id === ticketId);
  return list && value && { value, asOfMs: list.asOfMs };
}
