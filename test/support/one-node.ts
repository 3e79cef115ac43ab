import type { BuyTickets } from "../../domain/event-state.ts";
import type { EventStore, Outcome, WorkerPorts } from "../../services/purchasing/worker/ports.ts";
import { Workers } from "../../services/purchasing/worker/worker-registry.ts";
import { SimulatedDatabase } from "../simulation/model/database.ts";
import { EventTables } from "../simulation/model/event-tables.ts";
import { Kernel } from "../simulation/model/kernel.ts";

export const NODE = "node";
export const EVENT_ID = "00000000-0000-7000-8000-000000000001";
export const STARTS_AT_MS = 1_000_000;

/** Makes a node whose parts answer at once. A test may replace parts. */
export function openNode(total: number, replace: (ports: WorkerPorts) => Partial<WorkerPorts>) {
  const kernel = new Kernel(1);
  const database = new EventTables(
    new SimulatedDatabase(kernel),
    kernel,
    EVENT_ID,
    total,
    STARTS_AT_MS,
    {},
  );
  const notes: string[] = [];
  let tickets = 0;
  const store: EventStore = {
    takeEpoch: () => new Promise((resolve) => database.takeEpoch(resolve)),
    loadEvent: async () => database.loadEvent(),
    load: async (_eventId, needs) => database.load(needs),
    commit: (ownership, changes) =>
      new Promise((resolve) => database.commit(ownership, changes, 0, resolve)),
    readPurchases: async (_eventId, asked) => database.readPurchases(asked),
    readTickets: async (ids) => database.readTickets(ids),
  };
  const ports: WorkerPorts = {
    store,
    lease: { acquire: async () => ({ held: () => true, release: async () => undefined }) },
    copies: { write: async () => undefined },
    publisher: { publish: () => undefined },
    clock: {
      nowMs: () => kernel.nowMs,
      after: (delayMs, task) => kernel.after(delayMs, NODE, task),
    },
    router: {
      isOwner: () => true,
      forward: () => Promise.reject(new Error("no node to forward to")),
      ping: () => Promise.resolve(false),
    },
    newTicketId: () => `ticket-${++tickets}`,
    random: kernel.random,
    limits: { batchMax: 500, mailboxMax: 4_000, ticketsPerCustomerMax: 10 },
    note: (what) => notes.push(what),
  };
  const workers = new Workers({ ...ports, ...replace(ports) });
  const command = (key: string, quantity = 1): BuyTickets => {
    return {
      type: "BuyTickets",
      transactionId: `sale-${key}`,
      userId: `customer-${key}`,
      quantity,
    };
  };
  return {
    kernel,
    database,
    workers,
    notes,
    command,
    /** Returns the answer to a purchase within `withinMs`, in a word. */
    async buy(
      key: string,
      withinMs = 3_000,
      { forwarded = false, insteadOf }: { forwarded?: boolean; insteadOf?: string } = {},
    ): Promise<string> {
      let word = "nothing";
      void workers
        .submit(EVENT_ID, command(key), forwarded, insteadOf)
        .then((outcome) => (word = wordOf(outcome)));
      await new Promise(setImmediate);
      await kernel.run(kernel.nowMs + withinMs);
      return word;
    },
  };
}

/** Returns the code of a refusal, or `sold` or `replayed`. */
export function wordOf(outcome: Outcome): string {
  if (!outcome.ok) return outcome.refusal.code;
  return "replayed" in outcome.value && outcome.value.replayed ? "replayed" : "sold";
}
