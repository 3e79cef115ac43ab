import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withDeathSignal } from "../../dev-servers/death-signal.ts";
import { provideBinaries } from "../../dev-servers/packages.ts";
import { type Ask, browserOf } from "./browsers.ts";
import type { Histogram } from "./histogram.ts";
import type { Measurement } from "./measurement.ts";

/**
 * `refused`: answers of 400 and above. `failed`: no answer. `statuses`: only if counted. Times in
 * milliseconds.
 */
export type LoadResult = {
  answers: number;
  seconds: number;
  refused: number;
  failed: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  statuses?: Record<string, number>;
};

export type LoadOptions = {
  url: string;
  /** Asked in turn, each by a person of its own. */
  asks: readonly Ask[];
  connections: number;
  seconds: number;
  /** Counts answers by status, which costs the generator a few microseconds each. */
  countStatuses?: boolean;
};

export function timesOf({
  answers,
  p50Ms,
  p95Ms,
  p99Ms,
  p999Ms,
  maxMs,
}: Omit<LoadResult, "seconds" | "refused" | "failed">): Histogram {
  return { count: answers, p50: p50Ms, p95: p95Ms, p99: p99Ms, p999: p999Ms, max: maxMs };
}

/** Returns the measurement of a load. */
export function measured(
  operation: string,
  result: LoadResult,
): Pick<Measurement, "operation" | "operations" | "seconds" | "perSecond" | "times" | "errors"> {
  const { answers, seconds, refused, failed } = result;
  return {
    operation,
    operations: answers,
    seconds,
    perSecond: answers / seconds,
    times: timesOf(result),
    errors: refused + failed,
  };
}

const SCRIPT = fileURLToPath(new URL("requests.lua", import.meta.url));

/** Sends requests on keep-alive connections, each without a pause. */
export async function sendAtOnce(options: LoadOptions): Promise<LoadResult> {
  const { url, asks, connections, seconds, countStatuses = false } = options;
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-load-"));
  try {
    const file = join(folder, "requests");
    const requests = asks.map((ask, person) => browserOf(person)(ask));
    writeFileSync(file, requests.join("\0"), { mode: 0o600 });
    const statuses = countStatuses ? ["statuses"] : [];
    return await runWrk(connections, seconds, ["-s", SCRIPT, url, "--", file, ...statuses]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Installs wrk if it is missing, or throws and says how. A compared revision finds it installed.
 */
export async function provideWrk(report: (line: string) => void): Promise<void> {
  if (spawnSync("wrk", ["--version"]).error !== undefined) await provideBinaries(["wrk"], report);
}

/** wrk, because a generator in Node is slower than what it would measure. */
async function runWrk(
  connections: number,
  seconds: number,
  rest: readonly string[],
): Promise<LoadResult> {
  await provideWrk((line) => console.log(`bench: ${line}`));
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s", ...rest];
  const wrk = withDeathSignal("SIGKILL", ["wrk", ...args]);
  const { stdout } = await promisify(execFile)(wrk.command, wrk.args, { maxBuffer: 1 << 24 });
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
  return JSON.parse(line) as LoadResult;
}
