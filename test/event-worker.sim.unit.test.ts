import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refused } from "../domain/refusal.ts";
import type { WorkerPorts } from "../services/purchasing/ports.ts";
import type { Plant } from "./support/simulation/world.ts";
import { playHistory } from "./support/simulation/history.ts";

/** The real workers in seeded histories of everything that can go wrong; and the same checks with one mistake planted, which must be found. */
const SOUND_SEEDS = 2_000;
const PLANTED_SEEDS_MAX = 3_000;

/** What each node's worker believes of its epoch and batch, for stores that lie about them. */
function believing(): { epoch: number; batch: number } {
  return { epoch: 0, batch: 0 };
}

function forgetful(ports: WorkerPorts): WorkerPorts {
  return {
    ...ports,
    store: { ...ports.store, load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), sales: [] }) },
  };
}

const PLANTS: Record<string, Plant> = {
  "the epoch left out of the commit": { clauses: { epoch: true, batch: true } },
  "the row lock left out of the epoch check (a bare EXISTS)": { clauses: { rowLock: true } },
  "the batch number left out of the epoch check": {
    clauses: { batch: true },
    // A worker that does not look at the number loads without looking at it as well.
    ports: (ports) => {
      const mine = believing();
      return {
        ...ports,
        store: {
          ...ports.store,
          takeEpoch: async (eventId) => {
            const epoch = await ports.store.takeEpoch(eventId);
            mine.batch = 0;
            return epoch;
          },
          load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), batch: mine.batch }),
          commit: async (ownership, changes) => {
            const result = await ports.store.commit(ownership, changes);
            if (result.type === "committed") mine.batch = result.batch;
            return result;
          },
        },
      };
    },
  },
  "refusals answered without looking at epoch and batch": {
    ports: (ports) => {
      const mine = believing();
      return {
        ...ports,
        store: {
          ...ports.store,
          takeEpoch: async (eventId) => {
            const epoch = await ports.store.takeEpoch(eventId);
            mine.epoch = epoch ?? 0;
            mine.batch = 0;
            return epoch;
          },
          load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), ...mine }),
          commit: async (ownership, changes) => {
            const result = await ports.store.commit(ownership, changes);
            if (result.type === "committed") mine.batch = result.batch;
            return result;
          },
        },
      };
    },
  },
  "pending rows written from the decision": { clauses: { counts: true } },
  "the limit decided without loading": {
    ports: (ports) => ({
      ...ports,
      store: { ...ports.store, load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), activeTickets: [] }) },
    }),
  },
  "cancellations decided without loading": {
    ports: (ports) => ({
      ...ports,
      store: { ...ports.store, load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), tickets: [] }) },
    }),
  },
  "sales decided without loading": { ports: (ports) => forgetful(ports) },
  "sales decided without loading, and the unique key removed": { clauses: { uniqueKey: true }, ports: (ports) => forgetful(ports) },
  "an import that takes no epoch": { clauses: { importEpoch: true } },
  "silence of the node a command was passed on to taken for a no": {
    ports: (ports) => ({
      ...ports,
      router: {
        ...ports.router,
        forward: async (eventId, command) => {
          const outcome = await ports.router.forward(eventId, command);
          return !outcome.ok && outcome.refusal.code === "OUTCOME_UNKNOWN" ? refused("TRY_AGAIN") : outcome;
        },
      },
    }),
  },
  "the capacity taken from Redis": {
    ports: (ports, world) => ({
      ...ports,
      store: { ...ports.store, loadEvent: async (eventId) => ({ ...(await ports.store.loadEvent(eventId)), available: world.copied }) },
    }),
  },
  "an answer before the commit": {
    ports: (ports, world) => ({
      ...ports,
      store: {
        ...ports.store,
        commit: async (ownership, changes) => {
          void ports.store.commit(ownership, changes);
          return { type: "committed", batch: ownership.batch + 1, clockMs: world.kernel.nowMs, cancelled: [] };
        },
      },
    }),
  },
  "an unknown outcome treated as a failure": {
    ports: (ports) => ({
      ...ports,
      store: {
        ...ports.store,
        commit: async (ownership, changes) => {
          const result = await ports.store.commit(ownership, changes);
          return result.type === "unknown" ? { type: "failed", error: result.error } : result;
        },
      },
    }),
  },
  "the sweeper switched off": { sweeperOff: true },
};

describe("simulated histories of the event's workers", () => {
  it(`are sound for ${SOUND_SEEDS} seeds`, { timeout: 120_000 }, async () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= SOUND_SEEDS && wrong.length === 0; seed++) wrong.push(...(await playHistory(seed)));
    assert.deepEqual(wrong, []);
  });

  for (const [mistake, plant] of Object.entries(PLANTS))
    it(`find ${mistake}`, { timeout: 120_000 }, async () => {
      for (let seed = 1; seed <= PLANTED_SEEDS_MAX; seed++) if ((await playHistory(seed, plant)).length > 0) return;
      assert.fail(`${PLANTED_SEEDS_MAX} histories looked sound`);
    });
});
