import { type Database, isServerError } from "../../../lib/database/pool.ts";
import { TAKE_EPOCHS } from "../../../lib/database/event-epoch.ts";
import type { Loaded, LoadedEvent } from "../worker/ports.ts";
import type { Commit, Load, ManyEvents } from "./batched-event-store.ts";
import { COMMIT_MANY, LOAD_MANY } from "./batched-event-store.sql.ts";
import {
  byteaArray,
  type CommittedRow,
  committed,
  purchaseArrays,
  readPurchases,
  textArray,
} from "./event-store.ts";
import { LOAD_EVENTS, READ_FIRST_BUYERS } from "./event-store.sql.ts";

type LoadedRow = {
  workers: { eventId: string; epoch: number; batch: number }[];
  clockMs: number;
  sales: Loaded["sales"];
  tickets: (Loaded["tickets"][number] & { eventId: string })[];
  activeTickets: (Loaded["activeTickets"][number] & { eventId: string })[];
};

/** Statements of several events, in PostgreSQL. */
export function postgresManyEvents(
  database: Database,
  node: string,
  commitText: string = COMMIT_MANY.text,
): ManyEvents {
  // As in event-store.ts: a changed text has no name.
  const statement = commitText === COMMIT_MANY.text ? COMMIT_MANY : { text: commitText };
  return {
    async takeEpochs(eventIds) {
      try {
        const rows = await database.query<{ eventId: string; epoch: number }>({
          ...TAKE_EPOCHS,
          values: [textArray(eventIds), node],
        });
        return new Map(rows.map(({ eventId, epoch }) => [eventId, epoch]));
      } catch (error) {
        // One event's error rolled all of them back. Taken alone the others have none.
        if (isServerError(error)) return new Map();
        throw error;
      }
    },

    async loadEvents(eventIds) {
      const rows = await database.query<LoadedEvent & { eventId: string }>({
        ...LOAD_EVENTS,
        values: [textArray(eventIds)],
      });
      return new Map(rows.map(({ eventId, ...event }) => [eventId, event]));
    },

    async readFirstBuyers(eventIds, most) {
      const rows = await database.query<{ eventId: string; userId: string }>({
        ...READ_FIRST_BUYERS,
        values: [textArray(eventIds), most],
      });
      const buyers = new Map<string, string[]>();
      for (const { eventId, userId } of rows) {
        const known = buyers.get(eventId);
        if (known === undefined) buyers.set(eventId, [userId]);
        else known.push(userId);
      }
      return buyers;
    },

    readPurchases: (asked) => readPurchases(database, asked),

    load: (asked) => loadMany(database, node, asked),

    async commit(asked) {
      let sent = false;
      try {
        const rows = await database.withConnection((connection) => {
          sent = true;
          return connection.query<CommittedRow & { place: number }>({
            ...statement,
            values: [...commitValues(asked), node],
          });
        });
        const done = new Map(rows.map((row) => [row.place - 1, row]));
        const results = asked.map(({ ownership, changes }, index) => {
          const row = done.get(index);
          return row === undefined ? undefined : committed(row, ownership, changes);
        });
        return { type: "answered", results };
      } catch (error) {
        if (isServerError(error)) return { type: "refused" };
        const fault = error instanceof Error ? error : new Error(String(error));
        return { type: sent ? "unknown" : "failed", error: fault };
      }
    },
  };
}

async function loadMany(
  database: Database,
  node: string,
  asked: readonly Load[],
): Promise<(Loaded | undefined)[]> {
  const customers = asked.flatMap(({ eventId, needs }) =>
    needs.userIds.map((userId) => ({ eventId, userId })),
  );
  const purchases = asked.flatMap(({ eventId, needs }) =>
    needs.purchases.map(({ transactionId, userId }) => ({ eventId, transactionId, userId })),
  );
  const [row] = await database.query<LoadedRow>({
    ...LOAD_MANY,
    values: [
      textArray(asked.map(({ eventId }) => eventId)),
      textArray(asked.flatMap(({ needs }) => needs.ticketIds)),
      textArray(customers.map(({ eventId }) => eventId)),
      textArray(customers.map(({ userId }) => userId)),
      textArray(purchases.map(({ eventId }) => eventId)),
      ...purchaseArrays(purchases),
      node,
    ],
  });
  if (row === undefined) throw new Error("PostgreSQL answered a load without a row");
  const { clockMs } = row;
  const workers = new Map(row.workers.map((worker) => [worker.eventId, worker]));
  const sales = new Map(row.sales.map((sale) => [sale.transactionId, sale]));
  const tickets = Map.groupBy(row.tickets, ({ eventId }) => eventId);
  const counts = Map.groupBy(row.activeTickets, ({ eventId }) => eventId);
  return asked.map(({ eventId, needs }) => {
    const worker = workers.get(eventId);
    if (worker === undefined) return undefined;
    const wanted = new Set(needs.ticketIds);
    return {
      epoch: worker.epoch,
      batch: worker.batch,
      clockMs,
      sales: needs.purchases.flatMap(({ transactionId }) => sales.get(transactionId) ?? []),
      tickets: (tickets.get(eventId) ?? []).filter(({ ticketId }) => wanted.has(ticketId)),
      activeTickets: counts.get(eventId) ?? [],
    };
  });
}

function commitValues(asked: readonly Commit[]): unknown[] {
  const places: number[] = [];
  const ids: string[] = [];
  const userIds: string[] = [];
  const transactionIds: string[] = [];
  const ordinals: number[] = [];
  const counts: number[] = [];
  const freed: { place: number; ticketId: string; transactionId: string }[] = [];
  asked.forEach(({ changes: { sold, cancelled } }, index) => {
    const place = index + 1;
    const before = ids.length;
    for (const { userId, transactionId, ticketIds } of sold)
      ticketIds.forEach((id, ordinal) => {
        places.push(place);
        ids.push(id);
        userIds.push(userId);
        transactionIds.push(transactionId);
        ordinals.push(ordinal + 1);
      });
    counts.push(ids.length - before);
    for (const { ticketId, transactionId } of cancelled)
      freed.push({ place, ticketId, transactionId });
  });
  return [
    textArray(asked.map(({ ownership }) => ownership.eventId)),
    textArray(asked.map(({ ownership }) => ownership.epoch)),
    textArray(asked.map(({ ownership }) => ownership.batch)),
    textArray(asked.map(({ changes }) => changes.event.eventDate)),
    textArray(asked.map(({ changes }) => changes.event.startsAtMs)),
    textArray(counts),
    textArray(asked.map(({ changes }) => changes.cancelled.length)),
    textArray(places),
    textArray(ids),
    textArray(userIds),
    byteaArray(transactionIds),
    textArray(ordinals),
    textArray(freed.map(({ place }) => place)),
    textArray(freed.map(({ ticketId }) => ticketId)),
    byteaArray(freed.map(({ transactionId }) => transactionId)),
  ];
}
