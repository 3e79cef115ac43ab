import { BatchExpired, createBatcher, type Turns } from "../../../lib/concurrency/batcher.ts";
import type {
  Changes,
  CommitResult,
  EventStore,
  Loaded,
  Needs,
  Ownership,
} from "../worker/ports.ts";
import { rowsIn } from "../worker/batch.ts";

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

export type Load = { eventId: string; needs: Needs };
export type Commit = { ownership: Ownership; changes: Changes };

/** Statements of several events at once. */
export type ManyEvents = {
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
 * The store of a node with many events on sale: combines several workers' loads and commits into
 * one statement. Each worker sees what it would see alone: its load is read after its call, and its
 * commit passes its own fence. A lone worker uses `store`. So does one whose commit could not be
 * combined: its row was locked, or another event's part was refused.
 */
export function createBatchedEventStore(
  store: EventStore,
  many: ManyEvents,
  turns?: Turns,
): EventStore {
  const options = { running: SIDE_BY_SIDE, most: EVENTS_MAX, waitMs: WAIT_MS, turns };
  const load = createBatcher((asked: Load[]) => loadAll(store, many, asked), options);
  const commit = createBatcher((asked: Commit[]) => commitAll(store, many, asked), options);
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

async function loadAll(
  store: EventStore,
  many: ManyEvents,
  asked: Load[],
): Promise<(Loaded | Promise<Loaded>)[]> {
  const [first] = asked;
  if (asked.length === 1 && first !== undefined)
    return [await store.load(first.eventId, first.needs)];
  const loaded = await many.load(asked);
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
