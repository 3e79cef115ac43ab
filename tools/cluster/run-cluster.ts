import { processEnvironment } from "../../config/index.ts";
import { demoCatalogThrough } from "../demo/ensure-demo-catalog.ts";
import { checkPorts } from "../dev-servers/ports.ts";
import { secondsSince } from "../dev-servers/server-problem.ts";
import { joinEngine } from "../engine/connect.ts";
import { writeEngineFile } from "../engine/engine-file.ts";
import { prepareEngine, type PreparedEngine, WITHOUT_OWNER } from "../engine/prepare.ts";
import { createReport } from "../process/report.ts";
import { type Lifecycle, runUntilStopped } from "../process/run-until-stopped.ts";
import { buildWebApp } from "../web-build/build.ts";
import { startCluster } from "./cluster.ts";
import { nodeOutput } from "./cluster-output.ts";
import { keepRunning } from "./keep-running.ts";
import type { NodeCounts } from "./node-counts.ts";

export type ClusterCommand = { counts: NodeCounts; port: number | undefined; onePort: boolean };

/**
 * Runs servers, schema and many nodes of one service each, until Ctrl-C or the end of npm. A node
 * that ends unasked is started again.
 */
export function runCluster(wanted: ClusterCommand): void {
  const startedMs = performance.now();
  const report = createReport("boxoffice");
  runUntilStopped(report, async (life) => {
    const count = await bringUp(wanted, life, report);
    report(`${count} nodes run (${secondsSince(startedMs)}); Ctrl-C stops them`);
  });
}

async function bringUp(
  { counts, port, onePort }: ClusterCommand,
  life: Lifecycle,
  report: (line: string) => void,
): Promise<number> {
  const environment = processEnvironment();
  // Every node gets health and metrics ports of its own; these two would collide.
  const shared = { ...environment, HEALTH_PORT: "", METRICS_PORT: "" };
  const ports = (first: number): number[] =>
    Array.from({ length: onePort ? 1 : counts.api }, (_, index) => (port ?? first) + index);
  const [engine] = await Promise.all([
    prepareEngine(shared, life, report, (config) =>
      counts.api === 0 ? undefined : checkPorts(config.host, ports(config.port), "--port"),
    ),
    buildWebApp(report, { environment, abort: life.abort }),
  ]);
  const { config, urls, prometheusUrl } = engine;
  const cluster = await startCluster({
    urls,
    counts,
    port: port ?? config.port,
    onePort,
    environment: { ...environment, ...WITHOUT_OWNER, AUDIT_FILE: config.auditFile },
    output: nodeOutput(),
    report,
  });
  life.onStop("nodes", () => cluster.stop());
  for (const node of cluster.nodes) void keepRunning(node, report, life.abort);
  const gateways = cluster.of("api");
  const address = gateways[0]?.url;
  life.onStop(
    "engine.json",
    writeEngineFile(config.dataDir, {
      nodeId: "cluster",
      address,
      urls,
      backupUrl: config.backupDatabaseUrl,
      prometheusUrl,
    }),
  );
  life.abort.throwIfAborted();
  if (counts.catalog > 0 && !config.production) await addDemoCatalog(engine, report, life.abort);
  for (const { name, url } of gateways) report(`${name} serves on ${url ?? ""}`);
  return cluster.nodes.length;
}

async function addDemoCatalog(
  { config, urls }: PreparedEngine,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { broker } = await joinEngine(
    { ...processEnvironment(), ...urls },
    { as: "cluster", needs: "catalog" },
  );
  try {
    await demoCatalogThrough(broker, config, report, signal);
  } finally {
    await broker.stop();
  }
}
