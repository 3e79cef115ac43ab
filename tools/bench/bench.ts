import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, processEnvironment } from "../../config/index.ts";
import { migrate } from "../database/migrations.ts";
import { openToServers } from "../dev-servers/data-folders.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";
import { startServers } from "../dev-servers/servers.ts";
import { expectedMessage } from "../process/expected-problem.ts";
import { compareRevisions } from "./report/compare-revisions.ts";
import { type BenchArguments, benchArguments, type BenchOptions } from "./arguments.ts";
import { faultsOf, type Measurement, medians } from "./harness/measurement.ts";
import { serverProcesses } from "./harness/process-figures.ts";
import { RESULTS, resultsOf, writeResults } from "./report/results.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { printTable } from "./report/table.ts";
import { writePage } from "./report/benchmarks-page.ts";

/** The name that stands for every scenario. */
export const ALL = "all";

const report = (line: string): void => console.log(`bench: ${line}`);

/**
 * Measures a scenario, or writes the page of results. Returns the exit code. `abort` stops the
 * servers, removes their files and rejects.
 */
export async function runBench(
  name: string | undefined,
  options: BenchOptions,
  abort: AbortSignal,
): Promise<number> {
  if (name === undefined) {
    writePage(report);
    return 0;
  }
  return name === ALL ? measureAll(options, abort) : measure(benchArguments(name, options), abort);
}

/** Measures every scenario in turn, and says at the end which missed a bound or failed. */
async function measureAll(options: BenchOptions, abort: AbortSignal): Promise<number> {
  const missed: string[] = [];
  for (const name of Object.keys(SCENARIOS)) {
    report(`scenario ${name}`);
    try {
      if ((await measure(benchArguments(name, options), abort)) !== 0) missed.push(name);
    } catch (error) {
      abort.throwIfAborted();
      console.error(expectedMessage(error) ?? error);
      missed.push(name);
    }
  }
  report(missed.length === 0 ? "every bound holds" : `missed bounds: ${missed.join(", ")}`);
  return missed.length === 0 ? 0 : 1;
}

/** Returns 1 if a scenario misses a bound, or is worse than the compared revision. */
export async function measure(wanted: BenchArguments, abort: AbortSignal): Promise<number> {
  const scenario = SCENARIOS[wanted.scenario];
  if (scenario === undefined) throw new ServerProblem(`There is no scenario ${wanted.scenario}.`);
  const faults =
    wanted.against === undefined
      ? await runHere(scenario, wanted, abort)
      : await compareRevisions(wanted.against, wanted, report, abort);
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

async function runHere(
  scenario: Scenario,
  wanted: BenchArguments,
  abort: AbortSignal,
): Promise<string[]> {
  mkdirSync(RESULTS, { recursive: true });
  const runs: Measurement[][] = [];
  while (runs.length < wanted.runs) {
    if (wanted.runs > 1) report(`run ${runs.length + 1} of ${wanted.runs}`);
    runs.push(await runOnce(scenario, wanted, abort));
  }
  const measurements = medians(runs);
  const faults = faultsOf(measurements, scenario.bounds);
  printTable(measurements);
  const file = wanted.out ?? join(RESULTS, `${wanted.scenario}.json`);
  writeResults(file, resultsOf(wanted, { measurements, runs, faults }));
  report(`written to ${file}`);
  return faults;
}

/** Runs a scenario on servers of its own, which are removed afterwards. */
async function runOnce(
  scenario: Scenario,
  wanted: BenchArguments,
  abort: AbortSignal,
): Promise<Measurement[]> {
  const { servers: needed } = scenario;
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-bench-")));
  const servers =
    needed === "none"
      ? undefined
      : await startServers({
          dataDir: folder,
          report,
          restart: false,
          ...(needed === "all" ? {} : { only: needed }),
        });
  try {
    const environment: Environment = {
      ...processEnvironment(),
      ...servers?.urls,
      DATA_DIR: folder,
    };
    if (servers !== undefined) await migrate(environment.DATABASE_URL ?? "");
    const processes = servers === undefined ? {} : serverProcesses(servers);
    const measuring = scenario.measure(
      { ...wanted, servers: processes, folder: wanted.profile ? RESULTS : folder, report },
      environment,
    );
    return await orAborted(measuring, abort);
  } finally {
    await servers?.stop();
    for (const path of [servers?.folder, folder])
      if (path !== undefined) rmSync(path, { recursive: true, force: true });
  }
}

/** What is measured ends with this process, as its engines and generators do. */
async function orAborted<T>(measuring: Promise<T> | T, abort: AbortSignal): Promise<T> {
  abort.throwIfAborted();
  const done = new AbortController();
  const aborted = once(abort, "abort", { signal: done.signal }).then(() => {
    throw abort.reason;
  });
  try {
    return await Promise.race([measuring, aborted]);
  } finally {
    done.abort();
  }
}
