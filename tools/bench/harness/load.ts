import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { provideBinaries } from "../../dev-servers/packages.ts";
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
  /** One path, or several separated by commas: each token's buyer has one of them. */
  path: string;
  tokensFile: string;
  connections: number;
  seconds: number;
  /** Counts answers by status, which costs the generator a few microseconds each. */
  countStatuses?: boolean;
};

type TokensLoad = Pick<LoadOptions, "url" | "path" | "tokensFile" | "connections" | "seconds">;

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

const scriptOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const [BUY, ASK, ASK_OWN] = [scriptOf("buy.lua"), scriptOf("result.lua"), scriptOf("ask-own.lua")];

/** Buys on `connections` keep-alive connections, each without a pause. */
export function buyAtOnce({ countStatuses, ...options }: LoadOptions): Promise<LoadResult> {
  return byTokens(BUY, options, countStatuses === true ? ["statuses"] : []);
}

/** Runs a script that sends with each of the file's tokens in turn. */
function byTokens(
  script: string,
  { url, path, tokensFile, connections, seconds }: TokensLoad,
  more: readonly string[] = [],
): Promise<LoadResult> {
  return runWrk(connections, seconds, ["-s", script, url, "--", path, tokensFile, ...more]);
}

/** Repeats one request without a pause on keep-alive connections. */
export function askAtOnce(
  url: string,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<LoadResult> {
  return runWrk(connections, seconds, ["-H", "Accept-Encoding: gzip, deflate, br", "-s", ASK, url]);
}

/** Each person reads an own resource without a pause, on keep-alive connections. */
export function askOwn(options: TokensLoad): Promise<LoadResult> {
  return byTokens(ASK_OWN, options);
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
  const { stdout } = await promisify(execFile)("wrk", args, { maxBuffer: 1 << 24 });
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
  return JSON.parse(line) as LoadResult;
}
