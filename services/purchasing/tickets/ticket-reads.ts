import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import type { Metrics } from "../../../lib/observability/metrics.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import type { Ticket } from "../worker/ports.ts";
import { createPostgresWatch } from "./postgres-watch.ts";
import { createTicketCopies, type Found, type TicketCopies } from "./ticket-copies.ts";
import {
  createCount,
  createListReader,
  createQuery,
  createTicketLists,
  type KeptLists,
  type ListReader,
  type Marked,
  marked,
  type Read,
} from "./ticket-list.ts";
import { createListBuilder } from "./list-builder.ts";
import { readTicket, readTransaction, type TransactionView } from "./ticket-queries.ts";

export type TicketReads = {
  ticket(userId: string, ticketId: string): Promise<Answer<Marked<Ticket>>>;
  transaction(userId: string, transactionId: string): Promise<Answer<Marked<TransactionView>>>;
  list: ListReader;
  doubt: TicketCopies["doubt"];
  /** These customers have bought, and Redis has no list of theirs. */
  unlisted: Set<string>;
  start(): void;
  close(): void;
};
export type WithTicketReads = { ticketReads: TicketReads };

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
  const unlisted = new Set<string>();
  const builder = createListBuilder(lists, copies, watch, unlisted);
  const count = createCount(metrics);
  const query = createQuery(watch, count);
  const kept: KeptLists = new Map();
  redis.on("close", () => kept.clear());

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
        async () =>
          (await copies.ticket(userId, ticketId, true)) ??
          listed(await copies.list(userId), ticketId),
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
        () => copies.transaction(userId, transactionId, true),
      );
    },

    list: createListReader(query, lists, copies, builder.seen, kept),
    doubt(node, notice) {
      copies.doubt(node, notice);
      kept.clear();
    },
    unlisted,
    start() {
      watch.start();
      builder.start();
    },
    close() {
      watch.stop();
      builder.stop();
    },
  };
}

function listed(
  list: { tickets: readonly Ticket[]; asOfMs: number } | undefined,
  ticketId: string,
): { value: Ticket; asOfMs: number } | undefined {
  const value = list?.tickets.find(({ id }) => id === ticketId);
  return list && value && { value, asOfMs: list.asOfMs };
}
