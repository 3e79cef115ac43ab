import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { currentRevision } from "../../documents/revision.ts";
import { ROOT } from "../../root.ts";
import type { BenchArguments } from "../arguments.ts";
import type { Measurement } from "../harness/measurement.ts";

/** Folder of results and profiles. */
export const RESULTS = join(ROOT, ".data", "bench");

/** Content of .data/bench/SCENARIO.json. */
export type Results = {
  scenario: string;
  at: string;
  revision: string;
  machine: string;
  node: string;
  options: Pick<BenchArguments, "seconds" | "runs" | "buyers" | "looking" | "watching">;
  /** Medians of all runs. */
  measurements: Measurement[];
  runs: Measurement[][];
  faults: string[];
};

export function resultsOf(
  { scenario, seconds, runs: count, buyers, looking, watching }: BenchArguments,
  measured: Pick<Results, "measurements" | "runs" | "faults">,
): Results {
  const { length } = cpus();
  const model = cpus()[0]?.model ?? "unknown";
  return {
    scenario,
    at: new Date().toISOString(),
    revision: currentRevision(),
    node: process.version,
    machine: `${length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    options: { seconds, runs: count, buyers, looking, watching },
    ...measured,
  };
}

export function writeResults(file: string, results: Results): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(file, JSON.stringify(results, null, 2));
}

/** Reads the last results of a scenario. Undefined if there are none. */
export function readResults(scenario: string): Results | undefined {
  const file = join(RESULTS, `${scenario}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : undefined;
}
