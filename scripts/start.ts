import { setTimeout as delay } from "node:timers/promises";
import { ConfigError, processEnvironment, readConfig, type Config, type ServerUrls } from "../config.ts";
import { startNode, type RunningNode } from "../main.ts";
import { createInternalTokenMint } from "../mixins/internal-token.ts";
import { watchAncestors } from "./ancestors.ts";
import { ensureDemoCatalogue, refuseDemoEvents } from "./demo-catalogue.ts";
import { lockDataDir, writeEngineFile } from "./engine-file.ts";
import { MigrationError, migrate } from "./migrations.ts";
import type { ServerName } from "./servers/binaries.ts";
import { ServerProblem, secondsSince } from "./servers/problem.ts";
import { startServers } from "./servers/servers.ts";

/** npm passes Ctrl-C on, which the terminal has sent already: within this time two are one. */
const SAME_SIGNAL_MS = 2_000;
const NODE_STOP_MS = 10_000;
const OPERATOR = { userId: "00000000-0000-0000-0000-000000000000", role: "operator" } as const;

const began = performance.now();
const report = (line: string): void => console.log(`boxoffice: ${line}`);

/** What must be undone, in the order in which it was done. */
const undo: { what: string; run: () => Promise<void> | void }[] = [];
const abort = new AbortController();

/** `npm start`: servers, schema, one node with everything, demo events; until Ctrl-C, or until npm is gone. */
async function start(): Promise<void> {
  const environment = processEnvironment();
  const early = readConfig(environment);
  const release = lockDataDir(early.dataDir);
  undo.push({ what: "the data folder's lock", run: release });
  const servers = await startServers({ dataDir: early.dataDir, only: serversNotNamed(early), report, restart: true, abort: abort.signal });
  undo.push({ what: "servers", run: () => servers.stop() });
  const config = readConfig({ ...environment, ...servers.urls });
  const urls = urlsOf(config);

  abort.signal.throwIfAborted();
  const applied = await migrate(urls.DATABASE_URL);
  report(applied.length === 0 ? "the database is up to date" : `migrated the database: ${applied.join(", ")}`);
  if (config.production) await refuseDemoEvents(urls.DATABASE_URL);
  abort.signal.throwIfAborted();
  const node = await startNode(config);
  undo.push({ what: "node", run: () => stopNode(node) });
  await addDemoCatalogue(config, node);
  undo.push({
    what: "engine.json",
    run: writeEngineFile(config.dataDir, { nodeId: config.nodeId, address: node.url, urls, prometheusUrl: servers.prometheusUrl }),
  });
  report(
    `${node.url === undefined ? `runs ${config.services.join(", ")}` : `serves on ${node.url}`} (${secondsSince(began)}); Ctrl-C stops it`,
  );
}

/** Those that the environment names are used as they are, and never started or stopped. */
function serversNotNamed(config: Config): ServerName[] {
  const named: Record<ServerName, string | undefined> = {
    postgres: config.databaseUrl,
    redis: config.redisUrl,
    rabbitmq: config.amqpUrl,
    nats: config.transporter,
  };
  return (Object.keys(named) as ServerName[]).filter((name) => named[name] === undefined);
}

function urlsOf(config: Config): ServerUrls {
  const { databaseUrl = "", redisUrl = "", amqpUrl = "", transporter = "" } = config;
  return { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, AMQP_URL: amqpUrl, TRANSPORTER: transporter };
}

async function addDemoCatalogue(config: Config, node: RunningNode): Promise<void> {
  if (config.production || !config.services.includes("catalog")) return;
  const started = performance.now();
  const token = createInternalTokenMint(config.internalTokenSecret)(OPERATOR);
  const count = await ensureDemoCatalogue(node.broker, token, Date.now());
  if (count > 0) report(`made a demo catalogue of ${count} events, since the database was empty (${secondsSince(started)})`);
}

async function stopNode(node: RunningNode): Promise<void> {
  const started = performance.now();
  const inTime = await Promise.race([node.stop().then(() => true), delay(NODE_STOP_MS, false, { ref: false })]);
  report(
    inTime
      ? `node stopped (${secondsSince(started)})`
      : `the node did not stop within ${NODE_STOP_MS / 1_000} s; its servers are stopped now`,
  );
}

async function stopAll(): Promise<void> {
  for (const { what, run } of undo.splice(0).reverse()) {
    try {
      await run();
    } catch (error) {
      report(`${what} could not be stopped cleanly: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

let stoppedAtMs: number | undefined;

/** Exit code 0: being stopped is no failure, also while it starts. */
function stop(why: string): void {
  if (stoppedAtMs !== undefined) {
    if (performance.now() - stoppedAtMs < SAME_SIGNAL_MS) return;
    report(`${why} again: leaving at once; the servers end by themselves`);
    process.exit(1);
  }
  stoppedAtMs = performance.now();
  report(`stopping (${why})`);
  abort.abort(new Error("stopped"));
  void starting.then(stopAll).then(() => {
    report("stopped");
    process.exit(0);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(signal));
// A closed terminal takes the output with it; what is left to do is still done.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
watchAncestors(stop);

// Last, since its beginning may block for seconds: the handlers above must be there by then.
const starting = start().catch(async (error: unknown) => {
  if (abort.signal.aborted) return;
  const expected = error instanceof ConfigError || error instanceof ServerProblem || error instanceof MigrationError;
  console.error(expected ? error.message : error);
  await stopAll();
  process.exit(1);
});
