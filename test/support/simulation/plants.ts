import { refused } from "../../../domain/refusal.ts";
import type { Handler } from "../../../mixins/queue.ts";
import type { WorkerPorts } from "../../../services/purchasing/ports.ts";
import type { Plant, World } from "./world.ts";

/** What each node's workers believe of their epochs and batches, for stores that lie about them. */
function believing(): (eventId: string) => { epoch: number; batch: number } {
  const beliefs = new Map<string, { epoch: number; batch: number }>();
  return (eventId) => {
    const mine = beliefs.get(eventId) ?? { epoch: 0, batch: 0 };
    beliefs.set(eventId, mine);
    return mine;
  };
}

function forgetful(ports: WorkerPorts): WorkerPorts {
  return {
    ...ports,
    store: { ...ports.store, load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), sales: [] }) },
  };
}

/** One mistake each, in an otherwise sound world. FAULTS.md names them; a search must find a history that shows it. */
export const PLANTS: Record<string, Plant> = {
  "the epoch left out of the commit": { from: 801, clauses: { epoch: true, batch: true } },
  "the row lock left out of the epoch check (a bare EXISTS)": { from: 701, clauses: { rowLock: true } },
  "the batch number left out of the epoch check": {
    from: 1451,
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
            mine(eventId).batch = 0;
            return epoch;
          },
          load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), batch: mine(eventId).batch }),
          commit: async (ownership, changes) => {
            const result = await ports.store.commit(ownership, changes);
            if (result.type === "committed") mine(ownership.eventId).batch = result.batch;
            return result;
          },
        },
      };
    },
  },
  "refusals answered without looking at epoch and batch": {
    from: 581,
    ports: (ports) => {
      const mine = believing();
      return {
        ...ports,
        store: {
          ...ports.store,
          takeEpoch: async (eventId) => {
            const epoch = await ports.store.takeEpoch(eventId);
            mine(eventId).epoch = epoch ?? 0;
            mine(eventId).batch = 0;
            return epoch;
          },
          load: async (eventId, needs) => ({ ...(await ports.store.load(eventId, needs)), ...mine(eventId) }),
          commit: async (ownership, changes) => {
            const result = await ports.store.commit(ownership, changes);
            if (result.type === "committed") mine(ownership.eventId).batch = result.batch;
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
  "an import that takes no epoch": { from: 201, clauses: { importEpoch: true } },
  "silence of the node a command was passed on to taken for a no": {
    from: 1671,
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
  "the capacity taken from Redis at a worker's start": {
    ports: (ports, world) => ({
      ...ports,
      store: {
        ...ports.store,
        loadEvent: async (eventId) => {
          const event = await ports.store.loadEvent(eventId);
          return { ...event, available: world.copied(eventId) ?? event.available };
        },
      },
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
  "a message acknowledged before its transactions are booked": { acknowledgesFirst: true },
  "a ledger that books what messages say, not what is pending": { ledger: (_handler, world) => bookFromMessages(world) },
  "an arbitrary part of a backlog booked, not a prefix": { from: 201, clauses: { prefix: true } },
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
