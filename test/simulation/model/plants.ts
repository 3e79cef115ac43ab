import assert from "node:assert/strict";
import { refused } from "../../../domain/refusal.ts";
import type { Version } from "../../../lib/availability/availability-cache.ts";
import type { ListPart } from "../../../lib/bus/command-list.ts";
import type { Handler } from "../../../lib/queue/index.ts";
import type { EventStore, Loaded } from "../../../services/purchasing/worker/ports.ts";
import { batchKey, sumsByBatch } from "./database/rows.ts";
import { TROUBLE_MS } from "./draw.ts";
import type { Demand, History } from "./steps.ts";
import type { Plant, World } from "./world.ts";

type PlantedPorts = Required<Pick<Plant, "ports">>;

/** Replaces some methods of the workers' store. */
function store(change: (real: EventStore, world: World) => Partial<EventStore>): PlantedPorts {
  return {
    ports: (ports, world) => ({
      ...ports,
      store: { ...ports.store, ...change(ports.store, world) },
    }),
  };
}

/** Replaces parts of every load's result. */
function loading(instead: Partial<Loaded>): PlantedPorts {
  return store((real) => ({
    load: async (eventId, needs) => ({ ...(await real.load(eventId, needs)), ...instead }),
  }));
}

/** Makes every load return the batch, or epoch and batch, that the worker expects. */
function expecting(parts: "batch" | "epoch and batch"): PlantedPorts {
  return store((real) => {
    const beliefs = new Map<string, Version>();
    return {
      takeEpoch: async (eventId) => {
        const epoch = await real.takeEpoch(eventId);
        beliefs.set(eventId, { epoch: epoch ?? 0, batch: 0 });
        return epoch;
      },
      load: async (eventId, needs) => {
        const loaded = await real.load(eventId, needs);
        const { epoch, batch } = beliefs.get(eventId) ?? loaded;
        return { ...loaded, batch, ...(parts === "batch" ? {} : { epoch }) };
      },
      commit: async (ownership, changes) => {
        const result = await real.commit(ownership, changes);
        if (result.type === "committed")
          beliefs.set(ownership.eventId, { epoch: ownership.epoch, batch: result.batch });
        return result;
      },
    };
  });
}

/** Changes each part of a list's results on its way to the gateway. */
function parts(change: (results: ListPart["results"]) => ListPart["results"]): Plant {
  const changed = async (part: Promise<ListPart>): Promise<ListPart> => {
    const { results, ...more } = await part;
    return { results: change(results), ...more };
  };
  return {
    lists: (real) => ({
      ...real,
      submit: (...sent) => changed(real.submit(...sent)),
      collect: (...sent) => changed(real.collect(...sent)),
    }),
  };
}

/** Mistakes that the linearizability check must find, whatever the other checks see. */
export const ORDER_PLANTS: Record<string, Plant> = {
  "a stale list after a 201": { staleLists: true },
  "EVENT_SOLD_OUT answered early": store((real) => ({
    loadEvent: async (eventId) => {
      const event = await real.loadEvent(eventId);
      return { ...event, available: event.available - 1 };
    },
  })),
  "a limit refusal that was never true": loadingMore(1),
};

/** Adds tickets to every customer's count. */
function loadingMore(more: number): PlantedPorts {
  return store((real) => ({
    load: async (eventId, needs) => {
      const loaded = await real.load(eventId, needs);
      const activeTickets = loaded.activeTickets.map(({ userId, count }) => {
        return { userId, count: count + more };
      });
      return { ...loaded, activeTickets };
    },
  }));
}

/** Planted mistakes, one each. A search must find a history that reveals it. */
export const PLANTS: Record<string, Plant> = {
  "the epoch left out of the commit": { from: 731, clauses: { epoch: true, batch: true } },
  // With the CHECK alone nothing is oversold, whatever the fence lets through.
  "the row lock left out of the epoch check (a bare EXISTS), and the CHECK of the ownership row": {
    from: 41,
    clauses: { rowLock: true, availableCheck: true },
  },
  // Without this load, the worker would see the other batch number and stop.
  "the batch number left out of the epoch check": {
    clauses: { batch: true },
    with: restoredBackup,
    ...expecting("batch"),
  },
  "refusals answered without looking at epoch and batch": {
    from: 191,
    ...expecting("epoch and batch"),
  },
  "pending rows written from the decision": { from: 1561, clauses: { counts: true } },
  "the limit decided without loading": loading({ activeTickets: [] }),
  "cancellations decided without loading": loading({ tickets: [] }),
  "sales decided without loading": loading({ sales: [] }),
  "sales decided without loading, and the unique key removed": {
    clauses: { uniqueKey: true },
    ...loading({ sales: [] }),
  },
  "an import that takes no epoch": { from: 191, clauses: { importEpoch: true } },
  "a forwarded command without an answer treated as refused": {
    from: 2731,
    ports: (ports) => ({
      ...ports,
      router: {
        ...ports.router,
        forward: async (eventId, command) => {
          const outcome = await ports.router.forward(eventId, command);
          return !outcome.ok && outcome.refusal.code === "OUTCOME_UNKNOWN"
            ? refused("TRY_AGAIN")
            : outcome;
        },
      },
    }),
  },
  "the capacity taken from Redis at a worker's start": store((real, world) => ({
    loadEvent: async (eventId) => {
      const event = await real.loadEvent(eventId);
      return { ...event, available: world.availabilityInRedis(eventId) ?? event.available };
    },
  })),
  "an answer before the commit": store((real, world) => ({
    commit: async (ownership, changes) => {
      void real.commit(ownership, changes);
      return {
        type: "committed",
        batch: ownership.batch + 1,
        clockMs: world.kernel.nowMs,
        cancelled: [],
      };
    },
  })),
  "an unknown outcome treated as a failure": {
    from: 1051,
    ...store((real) => ({
      commit: async (ownership, changes) => {
        const result = await real.commit(ownership, changes);
        return result.type === "unknown" ? { type: "failed", error: result.error } : result;
      },
    })),
  },
  "the start check left out of the statement of several events": {
    clauses: { manyStart: true },
    with: bothEvents,
  },
  "a statement of several events treated as failed when its answer is lost": {
    from: 2061,
    with: bothEvents,
    many: (real) => ({
      ...real,
      commit: async (asked) => {
        const answer = await real.commit(asked);
        return answer.type === "unknown" ? { ...answer, type: "failed" } : answer;
      },
    }),
  },
  "the customers who have bought kept across an epoch": store((real) => {
    const kept = new Map<string, Promise<string[]>>();
    return {
      readBuyers: (eventId, after, most) => {
        const buyers = kept.get(eventId) ?? real.readBuyers(eventId, after, most);
        kept.set(eventId, buyers);
        return buyers;
      },
    };
  }),
  "a list that is lost treated as not sent": {
    from: 551,
    lists: (real) => ({
      ...real,
      submit: (...sent) =>
        real.submit(...sent).catch(() => {
          throw Object.assign(new Error("not sent"), { type: "SERVICE_NOT_AVAILABLE" });
        }),
    }),
  },
  "the refusal of one command of a list answered to all": parts((results) => {
    const refusal = results.find(([, one]) => "answer" in one && !one.answer.ok)?.[1];
    return results.map(([position, one]) => [position, refusal ?? one]);
  }),
  "the results of a list in the wrong order": parts((results) =>
    results.map(([position], index) => [position, results.at(index - 1)?.[1] ?? assert.fail()]),
  ),
  "the sweeper switched off": { sweeperOff: true },
  "a message acknowledged before its transactions are booked": { acknowledgesFirst: true },
  "a ledger that books the batches of messages instead of pending rows": {
    ledger: (_handler, world) => bookFromMessages(world),
  },
  "an arbitrary part of a backlog booked, not a prefix, and never all of it": {
    clauses: { prefix: true },
  },
  "an import that tries once to write its copies": {
    from: 1191,
    with: importWithoutRedis,
    importsTryOnce: true,
  },
  "copies written without comparing versions": { unversionedCopies: true },
  ...ORDER_PLANTS,
};

/** Both events are sold at the same times, slowly, so that they share statements. */
function bothEvents({ demands, faults }: History): Pick<History, "demands" | "faults"> {
  const slow = { type: "slow-commits", atMs: 0, forMs: TROUBLE_MS, byMs: 400, rowMs: 0 } as const;
  const both = demands.flatMap((one): Demand[] =>
    one.type === "buy" ? [one, { ...one, event: 1 - one.event }] : [one],
  );
  return { demands: both, faults: [...faults, slow] };
}

function restoredBackup({ faults }: History): Pick<History, "faults"> {
  const restored = [
    { type: "backup", atMs: 2_000 },
    { type: "restore", atMs: 3_000 },
  ] as const;
  return { faults: [...faults, ...restored] };
}

function importWithoutRedis({ totals, faults }: History): Pick<History, "faults"> {
  const added = [
    { type: "redis", atMs: 5_000, what: "down", forMs: 500 },
    {
      type: "import",
      atMs: 5_100,
      event: 0,
      total: (totals[0] ?? 1) + 5,
      status: "scheduled",
      startsInMs: null,
      takesMs: 0,
      nodesNotified: true,
    },
  ] as const;
  return { faults: [...faults, ...added] };
}

/** Books the batch that a message names. A repeated message books it again. */
function bookFromMessages(world: World): Handler {
  return async (deliveries) => {
    for (const { eventId, epoch = 0, batch = 0 } of deliveries.map(({ message }) => message)) {
      const event = world.database.event(eventId);
      const { rows } = event;
      const key = batchKey({ epoch, batch });
      const named = [...rows.pending.values()].filter((row) => batchKey(row) === key);
      const sum = sumsByBatch(named).get(key) ?? rows.booked.get(key) ?? 0;
      for (const row of named) rows.pending.delete(row.transactionId);
      rows.booked.set(key, sum);
      rows.capacity += sum;
      event.onChange();
    }
    return [];
  };
}
