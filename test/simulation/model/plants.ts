import { refused } from "../../../domain/refusal.ts";
import type { Version } from "../../../lib/availability/availability-cache.ts";
import type { Handler } from "../../../lib/queue/index.ts";
import type { EventStore, Loaded } from "../../../services/purchasing/worker/ports.ts";
import { batchKey, sumsByBatch } from "./rows.ts";
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
  "the epoch left out of the commit": { from: 801, clauses: { epoch: true, batch: true } },
  // With the CHECK alone nothing is oversold, whatever the fence lets through.
  "the row lock left out of the epoch check (a bare EXISTS), and the CHECK of the ownership row": {
    from: 701,
    clauses: { rowLock: true, availableCheck: true },
  },
  // Without this load, the worker would see the other batch number and stop.
  "the batch number left out of the epoch check": {
    from: 1451,
    clauses: { batch: true },
    ...expecting("batch"),
  },
  "refusals answered without looking at epoch and batch": {
    from: 581,
    ...expecting("epoch and batch"),
  },
  "pending rows written from the decision": { clauses: { counts: true } },
  "the limit decided without loading": loading({ activeTickets: [] }),
  "cancellations decided without loading": loading({ tickets: [] }),
  "sales decided without loading": loading({ sales: [] }),
  "sales decided without loading, and the unique key removed": {
    clauses: { uniqueKey: true },
    ...loading({ sales: [] }),
  },
  "an import that takes no epoch": { from: 201, clauses: { importEpoch: true } },
  "a forwarded command without an answer treated as refused": {
    from: 1671,
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
  "an unknown outcome treated as a failure": store((real) => ({
    commit: async (ownership, changes) => {
      const result = await real.commit(ownership, changes);
      return result.type === "unknown" ? { type: "failed", error: result.error } : result;
    },
  })),
  "the sweeper switched off": { sweeperOff: true },
  "a message acknowledged before its transactions are booked": { acknowledgesFirst: true },
  "a ledger that books the batches of messages instead of pending rows": {
    ledger: (_handler, world) => bookFromMessages(world),
  },
  "an arbitrary part of a backlog booked, not a prefix, and never all of it": {
    from: 201,
    clauses: { prefix: true },
  },
  "an import that tries once to write its copies": { from: 30_384, importsTryOnce: true },
  "copies written without comparing versions": { unversionedCopies: true },
  ...ORDER_PLANTS,
};

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
