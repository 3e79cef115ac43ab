import { processEnvironment } from "../../config/index.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { readClusterArguments } from "../../tools/cluster/arguments.ts";
import { startCluster } from "../../tools/cluster/cluster.ts";
import { OPERATOR, ensureDemoCatalogue } from "../../tools/demo/demo-catalog.ts";
import { writeEngineFile } from "../../tools/engine/engine-file.ts";
import { joinEngine } from "../../tools/engine/connect.ts";
import { prepareEngine, type PreparedEngine } from "../../tools/engine/prepare.ts";
import { secondsSince } from "../../tools/dev-servers/server-problem.ts";
import { type Lifecycle, runUntilStopped } from "../../tools/process/run-until-stopped.ts";
import { buildWebApp } from "../../tools/web-build/build.ts";

const began = performance.now();
const report = (line: string): void => console.log(`boxoffice: ${line}`);

/** `npm run cluster`: servers, schema, many nodes of one service each, demo events; until Ctrl-C, or until npm is gone. */
async function start(life: Lifecycle): Promise<void> {
  const environment = processEnvironment();
  // Its gateways have ports of their own, which the configuration we read here must not name twice.
  const [engine] = await Promise.all([
    prepareEngine({ ...environment, HEALTH_PORT: "", METRICS_PORT: "" }, life, report),
    buildWebApp(report, { environment, abort: life.abort }),
  ]);
  const { config, urls, prometheusUrl } = engine;
  const { counts, port, onePort } = readClusterArguments(process.argv.slice(2), config.port);
  const cluster = await startCluster({
    urls,
    counts,
    port,
    onePort,
    environment,
    report: (line) => console.log(line),
  });
  life.onStop("nodes", () => cluster.stop());
  for (const node of cluster.nodes)
    void node.ended().then((how) => report(`${node.name} ended (${how})`));
  const gateways = cluster.of("api");
  life.onStop(
    "engine.json",
    writeEngineFile(config.dataDir, {
      nodeId: "cluster",
      address: gateways[0]?.url,
      urls,
      prometheusUrl,
    }),
  );
  life.abort.throwIfAborted();
  if (counts.catalog > 0 && !config.production) await addDemoCatalogue(engine);
  for (const { name, url } of gateways) report(`${name} serves on ${url ?? ""}`);
  report(`${cluster.nodes.length} nodes run (${secondsSince(began)}); Ctrl-C stops them`);
}

async function addDemoCatalogue({ config, urls }: PreparedEngine): Promise<void> {
  const started = performance.now();
  const { broker } = await joinEngine(
    { ...processEnvironment(), ...urls },
    { as: "cluster", needs: "catalog" },
  );
  try {
    const count = await ensureDemoCatalogue(
      broker,
      createInternalTokenMint(config.internalTokenSecret)(OPERATOR),
      Date.now(),
    );
    if (count > 0)
      report(
        `made a demo catalogue of ${count} events, since the database was empty (${secondsSince(started)})`,
      );
  } finally {
    await broker.stop();
  }
}

runUntilStopped(report, start);
