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
  tickets: number;
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
type PerNode<T> = Promise<{ nodeId: string; value: T | undefined }[]>;

/**
 * Collects the status of all nodes in parallel. A node that does not answer within a second is
 * listed as silent. Counters grow from the start of each node.
 */
export async function engineStatus(bus: Bus, now: Date) {
  const [gateways, auths, catalogs, purchasing, ledgers, notifiers] = await Promise.all([
    bus.broadcastCall("api.status") as PerNode<Gateway>,
    bus.broadcastCall("auth.status") as PerNode<object>,
    bus.broadcastCall("catalog.status") as PerNode<Counts>,
    bus.broadcastCall("purchasing.workers") as PerNode<{ items: Worker[] }>,
    bus.broadcastCall("ledger.status") as PerNode<Ledger>,
    bus.broadcastCall("notifier.status") as PerNode<object>,
  ]);
  const services = {
    api: gateways,
    auth: auths,
    catalog: catalogs,
    purchasing,
    ledger: ledgers,
    notifier: notifiers,
  };
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
  const answeredLedgers = ledgers.flatMap(({ value }) => value ?? []);
  const [ledger] = answeredLedgers;
  const queue = answeredLedgers.find(({ queue }) => queue.ready !== undefined)?.queue;
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
          appliedRows: answeredLedgers.reduce((sum, { appliedRows }) => sum + appliedRows, 0),
        }
      : null,
    queue: queue
      ? { ready: queue.ready ?? 0, dead: queue.dead ?? 0, consumers: queue.consumers ?? 0 }
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
