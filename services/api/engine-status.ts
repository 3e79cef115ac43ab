import type { Schema } from "./route.ts";
import { listOf, record, text } from "./answer-schemas.ts";
import type { Bus } from "./route.ts";
import { UUID } from "./route.ts";

/** Of a thousand events on sale these are worth a look. */
const WORKERS_MAX = 200;

type Worker = {
  eventId: string;
  epoch: number | null;
  batch: number | null;
  available: number | null;
  mailbox: number;
  largestBatch: number;
  sales: number;
  degraded: boolean;
};
type Ledger = {
  pendingRows: number;
  lagMs: number;
  failedRows: number;
  appliedRows: number;
  queue: { ready?: number; dead?: number; consumers?: number };
};
type Counts = Record<string, number>;
type Gateway = { kept: Counts; streams: Counts };
type Told<T> = Promise<{ nodeId: string; value: T | undefined }[]>;

/**
 * The engine as its nodes tell it, all of them asked side by side; what a node does not say within a second is missing and the node is named. Counts grow
 * from the start of each node: whoever wants rates looks twice.
 */
export async function engineStatus(bus: Bus, now: Date) {
  const [gateways, catalogs, purchasing, ledgers] = await Promise.all([
    bus.everywhere("api.status") as Told<Gateway>,
    bus.everywhere("catalog.status") as Told<Counts>,
    bus.everywhere("purchasing.workers") as Told<{ items: Worker[] }>,
    bus.everywhere("ledger.status") as Told<Ledger>,
  ]);
  const services = { api: gateways, catalog: catalogs, purchasing, ledger: ledgers };
  const nodes = new Map<string, { node: string; services: string[]; silent: string[] }>();
  for (const [name, answers] of Object.entries(services))
    for (const { nodeId, value } of answers) {
      const node = nodes.get(nodeId) ?? { node: nodeId, services: [], silent: [] };
      nodes.set(nodeId, node);
      node.services.push(name);
      if (value === undefined) node.silent.push(name);
    }
  const workers = purchasing.flatMap(({ nodeId, value }) => (value?.items ?? []).map((worker) => ({ node: nodeId, ...worker })));
  workers.sort((one, other) => other.mailbox - one.mailbox || other.sales - one.sales);
  const told = ledgers.flatMap(({ value }) => value ?? []);
  const [ledger] = told;
  const inQueue = told.find(({ queue }) => queue.ready !== undefined)?.queue;
  return {
    at: now.toISOString(),
    nodes: [...nodes.values()].sort((one, other) => (one.node < other.node ? -1 : 1)),
    workerCount: workers.length,
    workers: workers.slice(0, WORKERS_MAX),
    ledger: ledger
      ? {
          ...{ pendingRows: ledger.pendingRows, oldestPendingMs: ledger.lagMs, failedRows: ledger.failedRows },
          appliedRows: told.reduce((sum, { appliedRows }) => sum + appliedRows, 0),
        }
      : null,
    queue: inQueue ? { ready: inQueue.ready ?? 0, dead: inQueue.dead ?? 0, consumers: inQueue.consumers ?? 0 } : null,
    layers: {
      gateway: summed(gateways.map(({ value }) => value?.kept)),
      catalog: summed(catalogs.map(({ value }) => value)),
    },
    streams: summed(gateways.map(({ value }) => value?.streams)),
  };
}

function summed(all: readonly (Counts | undefined)[]): Counts {
  const sums: Counts = {};
  for (const counts of all) for (const [name, count] of Object.entries(counts ?? {})) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

const number = (description: string): Schema => ({ type: "integer", description });
const orNull = (description: string): Schema => ({ type: ["integer", "null"], description });

export const ENGINE_SCHEMA: Schema = record({
  at: { type: "string", format: "date-time" },
  nodes: {
    ...listOf(
      record({
        node: text(),
        services: { ...listOf(text()), description: "Of api, catalog, purchasing and ledger" },
        silent: { ...listOf(text()), description: "Those that did not answer within a second: their figures are missing below" },
      }),
    ),
    description: "By name",
  },
  workerCount: number("Workers there are, of all nodes"),
  workers: {
    ...listOf(
      record({
        node: text(),
        eventId: UUID,
        epoch: orNull("Null: it has none at this moment"),
        batch: orNull("Batches committed under this epoch"),
        available: orNull("Left to sell"),
        mailbox: number("Commands that wait"),
        largestBatch: number("Commands in its largest batch"),
        sales: number("Purchases since the worker came; a worker that was idle for 30 s goes"),
        degraded: { type: "boolean", description: "It works without the lease" },
      }),
    ),
    description: `The fullest mailboxes first, then most sales; ${WORKERS_MAX} at most`,
  },
  ledger: {
    ...record({
      pendingRows: number("Transactions sold and not booked yet"),
      oldestPendingMs: number("How long the oldest has waited: the ledger's lag"),
      failedRows: number("Which the ledger could not book"),
      appliedRows: number("Booked since the nodes started"),
    }),
    type: ["object", "null"],
    description: "Null: no ledger could tell",
  },
  queue: {
    ...record({ ready: number("Messages that wait"), dead: number("Dead letters"), consumers: number("Ledgers that listen") }),
    type: ["object", "null"],
    description: "Null: RabbitMQ is away",
  },
  layers: {
    ...record({
      gateway: {
        ...counts("hits", "misses", "stale", "notModified"),
        description: "Searches answered from kept bytes, from the catalogue, from old bytes",
      },
      catalog: {
        ...counts("hits", "partial", "misses", "stale", "unasked"),
        description: "Answered from Redis, in part, from PostgreSQL, from old copies",
      },
    }),
    description: "Counts since the nodes started, of all nodes together",
  },
  streams: { ...counts("open", "sent", "skipped", "dropped"), description: "Streams of live availability, of all gateways together" },
});

/** Of which none is there before its first node has answered. */
function counts(...names: string[]): Schema {
  return record(Object.fromEntries(names.map((name) => [name, { type: "integer" }])), names);
}
