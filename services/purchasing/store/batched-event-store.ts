import { type Database, isServerError, type Statement } from "../../../lib/database/pool.ts";
import { createBatcher, BatchExpired } from "../../../lib/concurrency/batcher.ts";
import {
  byteaArray,
  type CommittedRow,
  committed,
  purchaseArrays,
  textArray,
} from "./event-store.ts";
import type {
  Changes,
  CommitResult,
  EventStore,
  Loaded,
  Needs,
  Ownership,
} from "../worker/ports.ts";
import { rowsIn } from "../worker/batch.ts";
import { COMMIT_MANY, LOAD_MANY } from "./batched-event-store.sql.ts";

/**
 * Statements of a kind in parallel, on the workers' five connections, so that one that waits does
 * not block the others.
 */
const SIDE_BY_SIDE = 2;
/** Events in one statement: some ten milliseconds of PostgreSQL's, for which all of them wait. */
const EVENTS_MAX = 250;
/** A batch that writes more goes alone: others would wait for it. */
const SHARED_ROWS_MAX = 20;
/** As long as for a connection (`acquireMs` of database.ts). */
const WAIT_MS = 1_000;

type Load = { eventId: string; needs: Needs };
type Commit = { ownership: Ownership; changes: Changes };
type LoadedRow = {
  workers: { eventId: string; epoch: number; batch: number }[];
  clockMs: number;
  sales: Loaded["sales"];
  tickets: (Loaded["tickets"][number] & { eventId: string })[];
  activeTickets: (Loaded["activeTickets"][number] & { eventId: string })[];
};

/**
 * The store of a node with many events on sale: combines several workers' loads and commits into
 * one statement. Each worker sees what it would see alone: its load is read after its call, and its
 * commit passes its own fence. A lone worker uses `store`. So does one whose commit could not be
 * combined: its row was locked, or another event's part was refused.
 */
export function createBatchedEventStore(
  database: Database,
  store: EventStore,
  commitText: string = COMMIT_MANY.text,
): EventStore {
  // As in event-store.ts: a changed text has no name.
  const statement = commitText === COMMIT_MANY.text ? COMMIT_MANY : { text: commitText };
  const load = createBatcher((asked: Load[]) => loadMany(database, store, asked), {
    running: SIDE_BY_SIDE,
    most: EVENTS_MAX,
    waitMs: WAIT_MS,
  });
  const commit = createBatcher((asked: Commit[]) => commitMany(database, store, asked, statement), {
    running: SIDE_BY_SIDE,
    most: EVENTS_MAX,
    waitMs: WAIT_MS,
  });
  return {
    ...store,
    load: (eventId, needs) => load({ eventId, needs }),
    async commit(ownership, changes) {
      if (changes.alone === true || rowsIn(changes) > SHARED_ROWS_MAX)
        return store.commit(ownership, changes);
      try {
        return await commit({ ownership, changes });
      } catch (error) {
        const fault = error instanceof Error ? error : new Error(String(error));
        return { type: error instanceof BatchExpired ? "failed" : "unknown", error: fault };
      }
    },
  };
}

async function loadMany(
  database: Database,
  store: EventStore,
  asked: Load[],
): Promise<(Loaded | Promise<Loaded>)[]> {
  const [first] = asked;
  if (asked.length === 1 && first !== undefined)
    return [await store.load(first.eventId, first.needs)];
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
    if (worker === undefined)
      return Promise.reject(new Error(`The worker's row of event ${eventId} is gone`));
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

async function commitMany(
  database: Database,
  store: EventStore,
  asked: Commit[],
  statement: Statement,
): Promise<(CommitResult | Promise<CommitResult>)[]> {
  const alone = ({ ownership, changes }: Commit): Promise<CommitResult> =>
    store.commit(ownership, changes);
  const [first] = asked;
  if (asked.length === 1 && first !== undefined) return [await alone(first)];
  let sent = false;
  const done = new Map<number, CommittedRow>();
  try {
    const rows = await database.withConnection((connection) => {
      sent = true;
      return connection.query<CommittedRow & { place: number }>({
        ...statement,
        values: commitValues(asked),
      });
    });
    for (const row of rows) done.set(row.place - 1, row);
  } catch (error) {
    if (!isServerError(error)) {
      const fault = error instanceof Error ? error : new Error(String(error));
      return asked.map((): CommitResult => ({ type: sent ? "unknown" : "failed", error: fault }));
    }
    // One event's error rolled all of them back. Retry each alone: the others have no error.
  }
  return asked.map((one, index) => {
    const row = done.get(index);
    return row === undefined ? alone(one) : committed(row, one.ownership, one.changes);
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
