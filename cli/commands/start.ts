import { type Config, processEnvironment } from "../../config/index.ts";
import { startNode, type RunningNode } from "../../main.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { OPERATOR, ensureDemoCatalogue } from "../../tools/demo/demo-catalog.ts";
import { writeEngineFile } from "../../tools/engine/engine-file.ts";
import { stopNode } from "../../tools/process/node-process.ts";
import { prepareEngine } from "../../tools/engine/prepare.ts";
import { secondsSince } from "../../tools/dev-servers/server-problem.ts";
import { type Lifecycle, runUntilStopped } from "../../tools/process/run-until-stopped.ts";
import { buildWebApp } from "../../tools/web-build/build.ts";

const began = performance.now();
const report = (line: string): void => console.log(`boxoffice: ${line}`);

/** `npm start`: servers, schema, one node with everything, demo events; until Ctrl-C, or until npm is gone. */
async function start(life: Lifecycle): Promise<void> {
  const environment = processEnvironment();
  const [{ config, urls, prometheusUrl }] = await Promise.all([
    prepareEngine(environment, life, report),
    buildWebApp(report, { environment, abort: life.abort }),
  ]);
  const node = await startNode(config);
  life.onStop("node", () => stopNode(node, report));
  await addDemoCatalogue(config, node);
  life.onStop(
    "engine.json",
    writeEngineFile(config.dataDir, {
      nodeId: config.nodeId,
      address: node.url,
      urls,
      prometheusUrl,
    }),
  );
  report(
    `${node.url === undefined ? `runs ${config.services.join(", ")}` : `serves on ${node.url}`} (${secondsSince(began)}); Ctrl-C stops it`,
  );
}

async function addDemoCatalogue(config: Config, node: RunningNode): Promise<void> {
  if (config.production || !config.services.includes("catalog")) return;
  const started = performance.now();
  const token = createInternalTokenMint(config.internalTokenSecret)(OPERATOR);
  const count = await ensureDemoCatalogue(node.broker, token, Date.now());
  if (count > 0)
    report(
      `made a demo catalogue of ${count} events, since the database was empty (${secondsSince(started)})`,
    );
}

runUntilStopped(report, start);
