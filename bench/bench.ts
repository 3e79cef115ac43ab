import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { processEnvironment } from "../config.ts";
import { migrate } from "../scripts/migrations.ts";
import { openToServers } from "../scripts/servers/place.ts";
import { ServerProblem } from "../scripts/servers/problem.ts";
import { startServers } from "../scripts/servers/servers.ts";
import { CONTENDERS, type Contender, isContender } from "./contenders.ts";
import { hotEvent, type HotEventResult } from "./hot-event.ts";
import { nodes, printNodes } from "./nodes.ts";
import { searchPlans } from "./search-plans.ts";
import { printSignIns, signInFaults, signIns } from "./sign-ins.ts";
import { tokenCosts } from "./tokens.ts";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));
const USAGE = `npm run bench -- SCENARIO [--seconds 10] [--buyers 1000] [--only worker,row-lock] [--profile]
  hot-event     durable purchases a second on one event, through HTTP, with real tokens, against the ways everyone else sells
  nodes         durable purchases through two gateways and purchasing nodes against one of each, in CPU-milliseconds a sale
  tokens        what checking access tokens and minting internal ones costs a request; fails above its bounds
  sign-ins      200 sign-ins at once beside 100 searches a second: statuses, times, memory; fails above its bounds
  search-plans  every search of the contract on 100,000 events: milliseconds in PostgreSQL and the indexes it used
  --only        contenders, separated by commas: ${Object.keys(CONTENDERS).join(", ")}
  --profile     leaves a CPU profile of the worker's node in bench/results/`;

/** `npm run bench -- SCENARIO`: own durable servers, a table, and a JSON file in bench/results/. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "10" },
      buyers: { type: "string", default: "1000" },
      only: { type: "string", default: Object.keys(CONTENDERS).join(",") },
      profile: { type: "boolean", default: false },
    },
  });
  const contenders = values.only.split(",").filter(isContender);
  const [seconds, buyers] = [Number(values.seconds), Number(values.buyers)];
  const sound = seconds >= 1 && seconds <= 600 && buyers >= 1 && buyers <= 20_000 && contenders.length === values.only.split(",").length;
  const [scenario] = positionals;
  if (scenario === "tokens" && positionals.length === 1) {
    printTokenCosts();
    return;
  }
  if (scenario === "nodes" && positionals.length === 1 && sound) {
    printNodes(await nodes({ buyers, seconds }, (line) => console.log(`bench: ${line}`)));
    return;
  }
  if (!["hot-event", "search-plans", "sign-ins"].includes(scenario ?? "") || positionals.length > 1 || !sound) {
    console.error(USAGE);
    process.exitCode = 1;
    return;
  }
  mkdirSync(RESULTS, { recursive: true });
  const dataDir = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-bench-")));
  const report = (line: string): void => console.log(`bench: ${line}`);
  const servers = await startServers({
    dataDir,
    report,
    restart: false,
    ...(positionals[0] === "search-plans" ? { only: ["postgres"] } : {}),
  });
  try {
    const environment = { ...processEnvironment(), ...servers.urls, DATA_DIR: dataDir };
    await migrate(environment.DATABASE_URL ?? "");
    if (scenario === "search-plans") {
      if (!(await searchPlans(environment.DATABASE_URL ?? ""))) process.exitCode = 1;
      return;
    }
    if (scenario === "sign-ins") {
      const results = await signIns(environment, dataDir, report);
      printSignIns(results);
      for (const fault of results.flatMap(signInFaults)) {
        console.error(fault);
        process.exitCode = 1;
      }
      return;
    }
    const results = await hotEvent(
      environment,
      { contenders, buyers, seconds, folder: values.profile ? RESULTS : dataDir, profile: values.profile },
      report,
    );
    print(results);
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`;
    const file = join(RESULTS, "hot-event.json");
    writeFileSync(
      file,
      JSON.stringify({ at: new Date().toISOString(), machine, node: process.version, buyers, seconds, results }, null, 2),
    );
    report(`written to ${file}`);
  } finally {
    await servers.stop();
    for (const folder of [servers.folder, dataDir]) rmSync(folder, { recursive: true, force: true });
  }
}

function printTokenCosts(): void {
  const costs = tokenCosts();
  console.table(Object.fromEntries(costs.map(({ what, us, mostUs }) => [what, { µs: Number(us.toFixed(2)), "at most": mostUs ?? "" }])));
  if (costs.some(({ us, mostUs }) => mostUs !== undefined && us > mostUs)) process.exitCode = 1;
}

function print(results: readonly HotEventResult[]): void {
  const ours = results.find(({ contender }) => contender === "worker");
  console.table(
    Object.fromEntries(
      results.map((result) => [
        CONTENDERS[result.contender],
        {
          "sold/s": Math.round(result.soldPerSecond),
          "worker ÷ this": ours === undefined ? "" : ratio(ours, result.contender, result),
          "p50 ms": Math.round(result.p50Ms),
          "p95 ms": Math.round(result.p95Ms),
          "p99 ms": Math.round(result.p99Ms),
          refused: result.refused,
          failed: result.failed,
          "CPU ms/sale": Number(result.cpuMsPerSale.toFixed(3)),
          "peak MB": Math.round(result.peakMemoryMb),
          "ledger ms": result.ledgerDrainedMs === undefined ? "" : Math.round(result.ledgerDrainedMs),
        },
      ]),
    ),
  );
  console.log(
    "sold = tickets in PostgreSQL = places booked, checked after each run; 'ledger ms' is what booking needed after the end of the load",
  );
}

function ratio(ours: HotEventResult, contender: Contender, other: HotEventResult): string {
  return contender === "worker" ? "" : (ours.soldPerSecond / other.soldPerSecond).toFixed(1);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof ServerProblem ? error.message : error);
  process.exitCode = 1;
}
