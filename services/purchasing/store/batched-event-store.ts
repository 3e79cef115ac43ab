import { BatchExpired, createBatcher, type Turns } from "../../../lib/concurrency/batcher.ts";
import { isDamage } from "../../../lib/database/server-troubles.ts";
import type {
  Changes,
  CommitResult,
  EventStore,
  Loaded,
  LoadedEvent,
  Needs,
  Ownership,
  Purchase,
  PurchaseKey,
} from "../worker/ports.ts";
import { rowsIn } from "../worker/batch.ts";

/**
 * Statements of a kind in parallel, on the workers' five connections, so that one that waits does
 * not block the others.
 */
const SIDE_BY_SIDE = 2;
/** Statements that take epochs or read: they wait for no lock. */
const WITHOUT_LOCKS = 1;
/** Events in one statement: some ten milliseconds of PostgreSQL's, for which all of them wait. */
const EVENTS_MAX = 250;
/** Events whose first buyers are read in one statement: 200 of each at most, in 100 ms. */
const BUYERS_OF_MAX = 50;
/** A batch that writes more goes alone: others would wait for it. */
const SHARED_ROWS_MAX = 20;
/** As long as for a connection (`acquireMs` of database.ts). */
const WAIT_MS = 1_000;

/** An event's purchases that may be sold. */
export type Purchases = { eventId: string; purchases: readonly PurchaseKey[] };
export type Sold = Omit<Purchase, "replayed">;
export type Load = { eventId: string; needs: Needs };
export type Commit = { ownership: Ownership; changes: Changes };

/** Statements of several events at once. */
export type ManyEvents = {
  /**
   * By event. Missing: its row was locked, another node opens it now, an earlier release had it, or
   * there is no such event. Committed when it resolves.
   */
  takeEpochs(eventIds: readonly string[]): Promise<Map<string, number>>;
  /** By event. Missing: it is gone. */
  loadEvents(eventIds: readonly string[]): Promise<Map<string, LoadedEvent>>;
  /** The first `most` customers of each event, as `readBuyers` returns them. */
  readFirstBuyers(eventIds: readonly string[], most: number): Promise<Map<string, string[]>>;
  /** The sales among these purchases, by transaction. */
  readPurchases(asked: readonly Purchases[]): Promise<Map<string, Sold>>;
  /** Undefined: the event has no ownership row. */
  load(asked: readonly Load[]): Promise<(Loaded | undefined)[]>;
  /**
   * One transaction. Undefined in `results`: nothing of that event was done, because its row was
   * locked or its fence failed. `refused`: one event's error rolled back all of them. `failed`: it
   * was not sent. `unknown`: no answer came.
   */
  commit(
    asked: readonly Commit[],
  ): Promise<
    | { type: "answered"; results: (CommitResult | undefined)[] }
    | { type: "refused" }
    | { type: "failed" | "unknown"; error: Error }
  >;
};

/**
 * The store of a node with many events on sale: combines what several workers ask into one
 * statement, so that a node that starts opens a thousand events with a few. Each worker sees what
 * it would see alone: its load is read after its call, and its commit passes its own fence. A lone
 * worker uses `store`. So does one whose part could not be combined: its row was locked, or another
 * event's part was refused.
 */
export function createBatchedEventStore(
  store: EventStore,
  many: ManyEvents,
  turns?: Turns,
): EventStore {
  const options = { running: SIDE_BY_SIDE, most: EVENTS_MAX, waitMs: WAIT_MS, turns };
  const load = createBatcher((asked: Load[]) => loadAll(store, many, asked), options);
  const commit = createBatcher((asked: Commit[]) => commitAll(store, many, asked), options);
  const single = { ...options, running: WITHOUT_LOCKS };
  const takeEpoch = createBatcher((ids: string[]) => takeAll(store, many, ids), single);
  const loadEvent = createBatcher((ids: string[]) => loadEvents(store, many, ids), single);
  const readPurchases = createBatcher(
    (asked: Purchases[]) => purchasesOf(store, many, asked),
    single,
  );
  const firstBuyers = createBatcher((asked: Buyers[]) => readFirstBuyers(many, asked), {
    ...single,
    most: BUYERS_OF_MAX,
  });
  return {
    ...store,
    takeEpoch,
    loadEvent,
    readPurchases: (eventId, purchases) => readPurchases({ eventId, purchases }),
    readBuyers: (eventId, after, most) =>
      after === "" ? firstBuyers({ eventId, most }) : store.readBuyers(eventId, after, most),
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

type Buyers = { eventId: string; most: number };

/** An event without an epoch is taken alone: its taker waits for a running statement. */
async function takeAll(
  store: EventStore,
  many: ManyEvents,
  eventIds: string[],
): Promise<(number | Promise<number | undefined>)[]> {
  const epochs = await many.takeEpochs(eventIds);
  return eventIds.map((eventId) => {
    const epoch = epochs.get(eventId);
    // Two askers of one event never get the same epoch.
    epochs.delete(eventId);
    return epoch ?? store.takeEpoch(eventId);
  });
}

async function loadEvents(
  store: EventStore,
  many: ManyEvents,
  eventIds: string[],
): Promise<(LoadedEvent | Promise<LoadedEvent>)[]> {
  const events = await many.loadEvents(eventIds).catch(undefinedIfDamaged);
  if (events === undefined) return eventIds.map((eventId) => store.loadEvent(eventId));
  return eventIds.map(
    (eventId) => events.get(eventId) ?? Promise.reject(new Error(`The event ${eventId} is gone`)),
  );
}

async function purchasesOf(
  store: EventStore,
  many: ManyEvents,
  asked: Purchases[],
): Promise<(Map<string, Sold> | Promise<Map<string, Sold>>)[]> {
  const found = await many.readPurchases(asked).catch(undefinedIfDamaged);
  if (found === undefined)
    return asked.map((one) => store.readPurchases(one.eventId, one.purchases));
  return asked.map(
    ({ purchases }) =>
      new Map(
        purchases.flatMap(({ transactionId }) => {
          const sold = found.get(transactionId);
          return sold === undefined ? [] : [[transactionId, sold]];
        }),
      ),
  );
}

/** One event's page is damaged: read alone, the others are not. Other errors are all events'. */
function undefinedIfDamaged(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}

async function readFirstBuyers(many: ManyEvents, asked: Buyers[]): Promise<string[][]> {
  const most = Math.max(...asked.map((one) => one.most));
  const buyers = await many.readFirstBuyers(
    asked.map(({ eventId }) => eventId),
    most,
  );
  return asked.map((one) => (buyers.get(one.eventId) ?? []).slice(0, one.most));
}

async function loadAll(
  store: EventStore,
  many: ManyEvents,
  asked: Load[],
): Promise<(Loaded | Promise<Loaded>)[]> {
  const [first] = asked;
  if (asked.length === 1 && first !== undefined)
    return [await store.load(first.eventId, first.needs)];
  const loaded = await many.load(asked).catch(undefinedIfDamaged);
  if (loaded === undefined) return asked.map((one) => store.load(one.eventId, one.needs));
  return asked.map(
    ({ eventId }, index) =>
      loaded[index] ?? Promise.reject(new Error(`The worker's row of event ${eventId} is gone`)),
  );
}

async function commitAll(
  store: EventStore,
  many: ManyEvents,
  asked: Commit[],
): Promise<(CommitResult | Promise<CommitResult>)[]> {
  const alone = ({ ownership, changes }: Commit): Promise<CommitResult> =>
    store.commit(ownership, changes);
  const [first] = asked;
  if (asked.length === 1 && first !== undefined) return [await alone(first)];
  const answer = await many.commit(asked);
  if (answer.type === "failed" || answer.type === "unknown") return asked.map(() => answer);
  // One event's error rolled all of them back. Retry each alone: the others have no error.
  const results = answer.type === "answered" ? answer.results : [];
  return asked.map((one, index) => results[index] ?? alone(one));
}
