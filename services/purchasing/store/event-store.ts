import { type Connection, type Database, isServerError } from "../../../lib/database/pool.ts";
import { takeEpoch } from "../../../lib/database/event-epoch.ts";
import type {
  Changes,
  CommitResult,
  EventStore,
  Loaded,
  LoadedEvent,
  Ownership,
  PurchaseKey,
  Ticket,
  TransactionStatus,
} from "../worker/ports.ts";
import type { Purchases, Sold } from "./batched-event-store.ts";
import {
  COMMIT,
  LOAD,
  LOAD_EVENT,
  READ_BUYERS,
  READ_PURCHASES,
  READ_TICKETS,
} from "./event-store.sql.ts";

/**
 * PostgreSQL as the worker's store. `commit` reports what is known of its outcome. The others
 * reject if no answer comes in time.
 */
export function postgresStore(
  database: Database,
  node: string,
  commitText: string = COMMIT.text,
): EventStore {
  // A changed text has no name: pg refuses a name that meant another text on the same connection.
  const commitStatement = commitText === COMMIT.text ? COMMIT : { text: commitText };
  return {
    takeEpoch: (eventId) => takeEpoch(database, eventId, node),

    async loadEvent(eventId) {
      const [event] = await database.query<LoadedEvent>({ ...LOAD_EVENT, values: [eventId] });
      if (event === undefined) throw new Error(`The event ${eventId} is gone`);
      return event;
    },

    async load(eventId, { purchases, ticketIds, userIds }) {
      const values = [
        eventId,
        textArray(ticketIds),
        textArray(userIds),
        ...purchaseArrays(purchases),
        node,
      ];
      const [loaded] = await database.query<Loaded>({ ...LOAD, values });
      if (loaded === undefined) throw new Error(`The worker's row of event ${eventId} is gone`);
      return loaded;
    },

    async commit(ownership, changes) {
      let sent = false;
      try {
        const [row] = await database.withConnection((connection) => {
          sent = true;
          return connection.query<CommittedRow>({
            ...commitStatement,
            values: [...commitValues(ownership, changes), node],
          });
        });
        return row === undefined ? { type: "fenced" } : committed(row, ownership, changes);
      } catch (error) {
        const fault = error instanceof Error ? error : new Error(String(error));
        if (sent && !isServerError(error)) return { type: "unknown", error: fault };
        return { type: "failed", error: fault, reason: sent ? reasonOf(error) : undefined };
      }
    },

    readPurchases: (eventId, purchases) => readPurchases(database, [{ eventId, purchases }]),

    async readBuyers(eventId, after, most) {
      const rows = await database.query<{ userId: string }>({
        ...READ_BUYERS,
        values: [eventId, after === "" ? null : after, most],
      });
      return rows.map(({ userId }) => userId);
    },

    async readTickets(ticketIds) {
      const rows = await database.query<Ticket>({
        ...READ_TICKETS,
        values: [textArray(ticketIds)],
      });
      return new Map(rows.map((ticket) => [ticket.id, ticket]));
    },
  };
}

/** The sales among these purchases of several events, by transaction. */
export async function readPurchases(
  database: Connection,
  asked: readonly Purchases[],
): Promise<Map<string, Sold>> {
  const keys = asked.flatMap(({ purchases }) => purchases);
  const eventIds = asked.flatMap(({ eventId, purchases }) => purchases.map(() => eventId));
  const rows = await database.query<Ticket & { transactionStatus: TransactionStatus }>({
    ...READ_PURCHASES,
    values: [textArray(eventIds), ...purchaseArrays(keys)],
  });
  const found = new Map<string, Sold>();
  for (const { transactionStatus, ...ticket } of rows) {
    const { transactionId, eventId } = ticket;
    const purchase = found.get(transactionId) ?? {
      transactionId,
      status: transactionStatus,
      eventId,
      quantity: 0,
      tickets: [],
    };
    purchase.tickets.push(ticket);
    purchase.quantity += 1;
    found.set(transactionId, purchase);
  }
  return found;
}

/** By SQLSTATE: the CHECK on what is left to sell, or the statement or lock time-out. */
export function reasonOf(error: unknown): "oversell" | "time-out" | undefined {
  const code = isServerError(error) ? error.code : undefined;
  if (code === "23514") return "oversell";
  return code === "57014" || code === "55P03" ? "time-out" : undefined;
}

export type CommittedRow = {
  batch: number;
  clockMs: number;
  cancelled: { id: string; transactionId: string; purchasedAtMs: number }[] | null;
};

function commitValues(
  { eventId, epoch, batch }: Ownership,
  { event, sold, cancelled }: Changes,
): unknown[] {
  const ids: string[] = [];
  const userIds: string[] = [];
  const transactionIds: string[] = [];
  const ordinals: number[] = [];
  for (const sale of sold)
    sale.ticketIds.forEach((id, index) => {
      ids.push(id);
      userIds.push(sale.userId);
      transactionIds.push(sale.transactionId);
      ordinals.push(index + 1);
    });
  return [
    eventId,
    epoch,
    batch,
    event.eventDate,
    textArray(ids),
    textArray(userIds),
    byteaArray(transactionIds),
    textArray(ordinals),
    textArray(cancelled.map(({ ticketId }) => ticketId)),
    byteaArray(cancelled.map(({ transactionId }) => transactionId)),
    event.startsAtMs,
  ];
}

export function committed(
  { batch, clockMs, cancelled }: CommittedRow,
  { eventId }: Ownership,
  { event }: Changes,
): CommitResult {
  const { eventName, location, eventDate, status: eventStatus } = event;
  const cancelledAt = new Date(clockMs).toISOString();
  // The same members as READ_TICKETS, so that a repeated cancellation gets the same bytes.
  const tickets = (cancelled ?? []).map(({ id, transactionId, purchasedAtMs }): Ticket => {
    const purchasedAt = new Date(purchasedAtMs).toISOString();
    return {
      id,
      eventId,
      eventName,
      location,
      eventDate,
      eventStatus,
      transactionId,
      status: "cancelled",
      purchasedAt,
      cancelledAt,
    };
  });
  return { type: "committed", batch, clockMs, cancelled: tickets };
}

/** The customers, and the transactions of theirs. */
export function purchaseArrays(purchases: readonly PurchaseKey[]): [string, string] {
  return [
    textArray(purchases.map(({ userId }) => userId)),
    byteaArray(purchases.map(({ transactionId }) => transactionId)),
  ];
}

/**
 * Builds an array literal of values that need no quoting (uuids, numbers). pg's own encoder
 * inspects each character.
 */
export function textArray(items: readonly (string | number)[]): string {
  return `{${items.join(",")}}`;
}

/** Hexadecimal ids as a bytea[] literal. */
export function byteaArray(hexIds: readonly string[]): string {
  return hexIds.length === 0 ? "{}" : `{"\\\\x${hexIds.join('","\\\\x')}"}`;
}
