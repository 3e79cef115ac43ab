import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Environment, processEnvironment } from "../config.ts";
import { migrate } from "../scripts/migrations.ts";
import { openToServers } from "../scripts/servers/place.ts";
import { ServerProblem } from "../scripts/servers/problem.ts";
import { startServers } from "../scripts/servers/servers.ts";
import { CONTENDERS, isContender } from "./contenders.ts";
import type { Outcome } from "./outcome.ts";
import { type BenchOptions, type Scenario, SCENARIOS } from "./scenarios.ts";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));
const WIDTH = Math.max(...Object.keys(SCENARIOS).map((name) => name.length));
const USAGE = `npm run bench -- SCENARIO [--seconds 10] [--buyers 1000] [--looking 9000] [--watching 5000] [--only worker,row-lock] [--profile]
${Object.entries(SCENARIOS)
  .map(([name, { about }]) => `  ${name.padEnd(WIDTH)}  ${about}`)
  .join("\n")}
  --only     hot-event's contenders, separated by commas: ${Object.keys(CONTENDERS).join(", ")}
  --profile  leaves a CPU profile of the worker's node in bench/results/`;

type Figures = [seconds: number, buyers: number, looking: number, watching: number];

/** `npm run bench -- SCENARIO`: own durable servers, a table, and a JSON file in bench/results/. Exit code 1 where a scenario misses its bounds. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "10" },
      buyers: { type: "string", default: "1000" },
      looking: { type: "string", default: "9000" },
      watching: { type: "string", default: "5000" },
      only: { type: "string", default: Object.keys(CONTENDERS).join(",") },
      profile: { type: "boolean", default: false },
    },
  });
  const contenders = values.only.split(",").filter(isContender);
  const [seconds, buyers, looking, watching] = [values.seconds, values.buyers, values.looking, values.watching].map(Number) as Figures;
  const within = (value: number, least: number, most: number): boolean => value >= least && value <= most;
  const [name = ""] = positionals;
  const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  const sound = within(seconds, 1, 600) && within(buyers, 1, 20_000) && within(looking, 1, 20_000) && within(watching, 1, 9_000);
  if (scenario === undefined || positionals.length > 1 || !sound || contenders.length !== values.only.split(",").length) {
    console.error(USAGE);
    process.exitCode = 1;
    return;
  }
  mkdirSync(RESULTS, { recursive: true });
  const report = (line: string): void => console.log(`bench: ${line}`);
  const { results, faults } = await runOn(scenario, { seconds, buyers, looking, watching, contenders, profile: values.profile, report });
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`;
  const file = join(RESULTS, `${name}.json`);
  const facts = { scenario: name, at: new Date().toISOString(), machine, node: process.version, buyers, looking, watching, seconds };
  writeFileSync(file, JSON.stringify({ ...facts, results }, null, 2));
  report(`written to ${file}`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

/** Brings up the servers that the scenario needs and takes them away again, with all that they held. */
async function runOn(scenario: Scenario, options: Omit<BenchOptions, "folder">): Promise<Outcome> {
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-bench-")));
  const { servers: needed } = scenario;
  const servers =
    needed === "none"
      ? undefined
      : await startServers({ dataDir: folder, report: options.report, restart: false, ...(needed === "all" ? {} : { only: needed }) });
  try {
    const environment: Environment = { ...processEnvironment(), ...servers?.urls, DATA_DIR: folder };
    if (servers !== undefined) await migrate(environment.DATABASE_URL ?? "");
    return await scenario.run({ ...options, folder: options.profile ? RESULTS : folder }, environment);
  } finally {
    await servers?.stop();
    for (const path of [servers?.folder, folder]) if (path !== undefined) rmSync(path, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof ServerProblem ? error.message : error);
  process.exitCode = 1;
}
