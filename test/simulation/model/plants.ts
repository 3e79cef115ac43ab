import { refused } from "../../../domain/refusal.ts";
import type { Version } from "../../../lib/availability/availability-cache.ts";
import type { Handler } from "../../../lib/queue/index.ts";
import type { EventStore, Loaded } from "../../../services/purchasing/worker/ports.ts";
import type { Plant, World } from "./world.ts";

type PlantedPorts = Required<Pick<Plant, "ports">>;

/** Workers whose store does something else in some of its methods. */
function store(change: (real: EventStore, world: World) => Partial<EventStore>): PlantedPorts {
  return {
    ports: (ports, world) => ({
      ...ports,
      store: { ...ports.store, ...change(ports.store, world) },
    }),
  };
}

/** Workers to whom every load says this, whatever PostgreSQL has. */
function loading(instead: Partial<Loaded>): PlantedPorts {
  return store((real) => ({
    load: async (eventId, needs) => ({ ...(await real.load(eventId, needs)), ...instead }),
  }));
}

/** Workers to whom every load says of their batch, or of their epoch as well, what they believe anyway. */
function believing(what: "batch" | "epoch and batch"): PlantedPorts {
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
        return { ...loaded, batch, ...(what === "batch" ? {} : { epoch }) };
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

/** One mistake each, in an otherwise sound world. FAULTS.md names them; a search must find a history that shows it. */
export const PLANTS: Record<string, Plant> = {
  "the epoch left out of the commit": { from: 801, clauses: { epoch: true, batch: true } },
  "the row lock left out of the epoch check (a bare EXISTS)": {
    from: 701,
    clauses: { rowLock: true },
  },
  // A worker that does not look at the number loads without looking at it as well.
  "the batch number left out of the epoch check": {
    from: 1451,
    clauses: { batch: true },
    ...believing("batch"),
  },
  "refusals answered without looking at epoch and batch": {
    from: 581,
    ...believing("epoch and batch"),
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
  "silence of the node a command was passed on to taken for a no": {
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
      return { ...event, available: world.copied(eventId) ?? event.available };
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
  "a ledger that books what messages say, not what is pending": {
    ledger: (_handler, world) => bookFromMessages(world),
  },
  "an arbitrary part of a backlog booked, not a prefix, and never all of it": {
    from: 201,
    clauses: { prefix: true },
  },
  "an import that tries once to write its copies": { from: 3_691, importsTryOnce: true },
  "copies written without looking at the stamp": { unstampedCopies: true },
};

/** Takes a message for the truth: a repeated one books again. */
function bookFromMessages(world: World): Handler {
  return async (deliveries) => {
    for (const { eventId, transactionIds } of deliveries.map(({ message }) => message)) {
      const event = world.database.event(eventId);
      const ids = transactionIds.length > 0 ? transactionIds : [...event.rows.pending.keys()];
      for (const id of ids) {
        const quantity = event.rows.pending.get(id)?.quantity ?? event.rows.booked.get(id) ?? 0;
        event.rows.pending.delete(id);
        event.rows.booked.set(id, quantity);
        event.rows.capacity += quantity;
      }
      event.onChange();
    }
    return [];
  };
}
