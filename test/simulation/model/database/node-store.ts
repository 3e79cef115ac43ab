import {
  type Commit,
  createBatchedEventStore,
  type ManyEvents,
} from "../../../../services/purchasing/store/batched-event-store.ts";
import { rowsIn } from "../../../../services/purchasing/worker/batch.ts";
import type { EventStore } from "../../../../services/purchasing/worker/ports.ts";
import { BUSY_MS } from "../bus.ts";
import type { Kernel } from "../kernel.ts";
import type { Network } from "../network.ts";
import { commitMany, commitOne, type Pace } from "./commits.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { EventTables } from "./event-tables.ts";
import type { BrokenClauses } from "./rows.ts";

/** What a store needs of the simulated world. */
export type Host = {
  readonly kernel: Kernel;
  readonly network: Network;
  readonly database: SimulatedDatabase;
  readonly broken: BrokenClauses;
  readonly plant: { many?: (many: ManyEvents) => ManyEvents };
  readonly slow: { untilMs: number; byMs: number; rowMs: number };
  committed(nodeId: string): void;
};

/** A node's store on the simulated PostgreSQL, with the engine's own batches of statements. */
export function nodeStore(host: Host, nodeId: string): EventStore {
  const { kernel, network, database, broken } = host;
  const context = { server: database, kernel, broken };
  const read = <T>(statement: () => T): Promise<T> =>
    network.ask<T>(nodeId, (done) => done(statement()));
  const one: EventStore = {
    takeEpoch: (eventId) =>
      network.ask<number>(nodeId, (done, fail) => database.event(eventId).takeEpoch(done, fail)),
    loadEvent: (eventId) => read(() => database.event(eventId).loadEvent()),
    load: (eventId, needs) => read(() => database.event(eventId).load(needs)),
    commit: async (ownership, changes) => {
      const commit = { ownership, changes };
      try {
        return await network.ask(nodeId, (done) =>
          commitOne(context, commit, paceOf(host, [commit]), (result) => {
            if (result.type === "committed") host.committed(nodeId);
            done(result);
          }),
        );
      } catch (error) {
        return { type: "unknown", error: error as Error };
      }
    },
    readBuyers: (eventId, after, most) =>
      read(() => database.event(eventId).readBuyers(after, most)),
    readPurchases: (eventId, keys) => read(() => database.event(eventId).readPurchases(keys)),
    readTickets: (ids) =>
      read(
        () =>
          new Map([...database.events.values()].flatMap((event) => [...event.readTickets(ids)])),
      ),
  };
  const each = <T>(ids: readonly string[], of: (event: EventTables) => T | undefined) =>
    read(() => {
      const found = new Map<string, T>();
      for (const id of ids) {
        const one = of(database.event(id));
        if (one !== undefined) found.set(id, one);
      }
      return found;
    });
  const many: ManyEvents = {
    takeEpochs: (ids) => each(ids, (event) => event.takeFreeEpoch()),
    loadEvents: (ids) => each(ids, (event) => event.loadEvent()),
    readFirstBuyers: (ids, most) => each(ids, (event) => event.readBuyers("", most)),
    readPurchases: (asked) =>
      read(
        () =>
          new Map(
            asked.flatMap(({ eventId, purchases }) => [
              ...database.event(eventId).readPurchases(purchases),
            ]),
          ),
      ),
    load: (asked) =>
      read(() => asked.map(({ eventId, needs }) => database.event(eventId).load(needs))),
    commit: async (asked) => {
      try {
        return await network.ask(nodeId, (done, fail) =>
          commitMany(
            context,
            asked,
            paceOf(host, asked),
            (answer) => {
              if (answer.type === "answered") host.committed(nodeId);
              done(answer);
            },
            fail,
          ),
        );
      } catch (error) {
        return { type: "unknown", error: error as Error };
      }
    },
  };
  return createBatchedEventStore(one, host.plant.many?.(many) ?? many, {
    nowMs: () => kernel.nowMs,
    // A busy node takes its next turn late, and gathers what comes meanwhile.
    next: (begin) => void kernel.after(kernel.between(0, BUSY_MS), nodeId, begin),
  });
}

/** Half of what is slow is the statement, which PostgreSQL cancels, and half is the flush. */
function paceOf(host: Host, commits: readonly Commit[]): Pace {
  const { kernel, network } = host;
  const slow = host.slow.untilMs > kernel.nowMs ? host.slow : { byMs: 0, rowMs: 0 };
  const rowsMs = slow.rowMs * commits.reduce((sum, { changes }) => sum + rowsIn(changes), 0);
  const holdMs = Math.max(slow.byMs, network.holdMs());
  return kernel.chance(0.5)
    ? { statementMs: rowsMs + holdMs, flushMs: 0 }
    : { statementMs: rowsMs, flushMs: holdMs };
}
