import type { ServerUrls } from "../../../config/index.ts";
import { startCluster } from "../../cluster/cluster.ts";
import type { NodeCounts } from "../../cluster/node-counts.ts";
import { freePort } from "../../dev-servers/ports.ts";
import type { Processes } from "./process-figures.ts";
import { type Layers, type Sale, startBenchEngine } from "./sale.ts";

export const ONE_PROCESS = "one process";
/** A process for each service. */
export const ONE_OF_EACH = "one of each";
const ONE = { auth: 1, catalog: 1, ledger: 1, notifier: 1 };
/** Processes of an engine, by the name of the layout. */
export const LAYOUTS: Readonly<Record<string, NodeCounts>> = {
  [ONE_OF_EACH]: { ...ONE, api: 1, purchasing: 1 },
  "two gateways, two purchasing nodes": { ...ONE, api: 2, purchasing: 2 },
  "four gateways, four purchasing nodes": { ...ONE, api: 4, purchasing: 4 },
};

/** A running engine, of one process or many. */
export type Layout = {
  urls: string[];
  processes: Processes;
  /** Hits of the search layers so far; undefined for several processes. */
  layers?: () => Promise<Layers>;
  stop(): Promise<unknown>;
};

/** CPU milliseconds per operation of all of the engine's processes. */
export function engineCpuMs({ processes }: Layout, cpuMs: Record<string, number>): number {
  return Object.keys(processes).reduce((sum, kind) => sum + (cpuMs[kind] ?? 0), 0);
}

/** Starts an engine. A name that LAYOUTS does not have: in one process. */
export async function startLayout(
  sale: Sale,
  layout: string,
  { folder, profile }: { folder: string; profile: boolean },
): Promise<Layout> {
  const counts = LAYOUTS[layout];
  if (counts === undefined) {
    // Nodes of a cluster count for their metrics.
    const environment = { ...sale.environment, METRICS_PORT: String(await freePort()) };
    const engine = await startBenchEngine({ environment }, "worker", profile ? folder : undefined);
    return {
      urls: [engine.url],
      processes: { engine: engine.process.pid ?? 0 },
      layers: () => engine.layers(),
      stop: () => engine.stop(),
    };
  }
  const profiled = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` };
  const cluster = await startCluster({
    urls: sale.environment as ServerUrls,
    environment: { ...sale.environment, ...(profile ? profiled : {}) },
    counts,
    output: () => undefined,
  });
  const processes: Record<string, number[]> = {};
  for (const { service, pid } of cluster.nodes)
    if (pid !== undefined) (processes[service] ??= []).push(pid);
  return {
    urls: cluster.of("api").map(({ url = "" }) => url),
    processes,
    stop: () => cluster.stop(),
  };
}
