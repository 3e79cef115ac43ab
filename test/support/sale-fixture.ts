import { randomUUID } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { postgresStore } from "../../services/purchasing/store/event-store.ts";
import { EventWorker } from "../../services/purchasing/worker/event-worker.ts";
import type {
  Changes,
  Copies,
  EventStore,
  Lease,
  LoadedEvent,
  WorkerPorts,
} from "../../services/purchasing/worker/ports.ts";
import { freshDatabase } from "./database.ts";

export type SaleWorld = {
  database: Database;
  addEvent(total: number, startsInMs?: number): Promise<string>;
  store(node: string, commitText?: string): EventStore;
  /** A worker that always owns the event, without a lease: only the epoch fences. */
  worker(eventId: string, store: EventStore, ports?: Partial<WorkerPorts>): EventWorker;
  numbers(eventId: string): Promise<{ active: number; sum: number; rows: number; epoch: number }>;
  close(): Promise<void>;
};

const NO_LEASE: Lease = {
  acquire: () => Promise.resolve({ held: () => false, release: () => Promise.resolve() }),
};
const NO_COPIES: Copies = { write: () => Promise.resolve() };

/** Runs workers on a real PostgreSQL only. A test can block or replace a statement. */
export async function openSaleWorld(): Promise<SaleWorld> {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, "sale");
  return {
    database,
    store: (node, commitText) => postgresStore(database, node, commitText),
    async addEvent(total, startsInMs = 86_400_000) {
      const id = randomUUID();
      await database.query({
        text: `
          INSERT INTO event (id, name, name_key, type, type_key, location, location_key,
            date, start_time, end_time, duration, time_zone,
            starts_at, ends_at, total_capacity, capacity, source, source_id)
          VALUES ($1, 'Concert', 'concert', 'concert', 'concert', 'Berlin', 'berlin',
            '2099-01-01', '20:00', '22:00', 120, 'Europe/Berlin',
            $3, '2099-01-01 21:00Z', $2, $2, 'test', $4)`,
        values: [id, total, new Date(Date.now() + startsInMs).toISOString(), id],
      });
      return id;
    },
    worker: (eventId, store, ports = {}) =>
      new EventWorker(
        eventId,
        {
          store,
          lease: NO_LEASE,
          copies: NO_COPIES,
          publisher: { publish: () => undefined },
          clock: { nowMs: () => performance.now(), after: startTimer },
          router: {
            isOwner: () => true,
            forward: () => Promise.reject(new Error("no node to forward to")),
            ping: () => Promise.resolve(false),
          },
          newTicketId: (nowMs) => uuidv7({ msecs: Math.round(nowMs) }),
          random: Math.random,
          limits: { batchMax: 500, mailboxMax: 4_000, ticketsPerCustomerMax: 10 },
          note: () => undefined,
          ...ports,
        },
        () => undefined,
      ),
    async numbers(eventId) {
      const [row] = await database.query<{
        active: number;
        sum: number;
        rows: number;
        epoch: number;
      }>({
        text: `
          SELECT
            (SELECT count(*) FROM event_tickets
              WHERE event_id = $1 AND cancelled_at IS NULL)::integer AS active,
            (SELECT coalesce(sum(quantity), 0) FROM event_ticket_transactions
              WHERE event_id = $1)::integer AS sum,
            (SELECT count(*) FROM event_ticket_transactions WHERE event_id = $1)::integer AS rows,
            coalesce((SELECT epoch FROM event_worker WHERE event_id = $1), 0)::float8 AS epoch`,
        values: [eventId],
      });
      if (row === undefined) throw new Error("no numbers");
      return row;
    },
    async close() {
      await database.close();
      await fresh.drop();
    },
  };
}

/** Returns a sale of `quantity` tickets to a new customer, as a worker would commit it. */
export function saleOf(event: LoadedEvent, quantity: number): Changes {
  const ticketIds = Array.from({ length: quantity }, () => uuidv7());
  return {
    event,
    sold: [{ transactionId: newTransactionId(), userId: randomUUID(), ticketIds }],
    cancelled: [],
  };
}

export function newTransactionId(): string {
  return (randomUUID() + randomUUID() + randomUUID() + randomUUID()).replaceAll("-", "");
}

function startTimer(delayMs: number, task: () => void): { cancel(): void } {
  const timer = setTimeout(task, delayMs);
  return { cancel: () => clearTimeout(timer) };
}
