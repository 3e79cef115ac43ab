import { WORKERS_MAX } from "../openapi/engine-schema.ts";
import type { Bus } from "../routing/route.ts";

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
    bus.broadcastCall("api.status") as Told<Gateway>,
    bus.broadcastCall("catalog.status") as Told<Counts>,
    bus.broadcastCall("purchasing.workers") as Told<{ items: Worker[] }>,
    bus.broadcastCall("ledger.status") as Told<Ledger>,
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
  const workers = purchasing.flatMap(({ nodeId, value }) =>
    (value?.items ?? []).map((worker) => ({ node: nodeId, ...worker })),
  );
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
          pendingRows: ledger.pendingRows,
          oldestPendingMs: ledger.lagMs,
          failedRows: ledger.failedRows,
          appliedRows: told.reduce((sum, { appliedRows }) => sum + appliedRows, 0),
        }
      : null,
    queue: inQueue
      ? { ready: inQueue.ready ?? 0, dead: inQueue.dead ?? 0, consumers: inQueue.consumers ?? 0 }
      : null,
    layers: {
      gateway: summed(gateways.map(({ value }) => value?.kept)),
      catalog: summed(catalogs.map(({ value }) => value)),
    },
    streams: summed(gateways.map(({ value }) => value?.streams)),
  };
}

function summed(all: readonly (Counts | undefined)[]): Counts {
  const sums: Counts = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts ?? {}))
      sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
