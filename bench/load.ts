import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import autocannon from "autocannon";

/** `refused`: answers of 400 and above; `failed`: no answer. Times in milliseconds. */
export type LoadResult = {
  generator: "wrk" | "autocannon";
  answers: number;
  seconds: number;
  refused: number;
  failed: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
};

export type LoadOptions = {
  url: string;
  /** Or several, separated by commas: each token's buyer has one of them. */
  path: string;
  tokensFile: string;
  tokens: readonly string[];
  connections: number;
  seconds: number;
};

const SCRIPT = fileURLToPath(new URL("buy.lua", import.meta.url));

/** Buys from `connections` keep-alive connections at once, each asking again as soon as it has its answer: wrk where installed, else autocannon. */
export function buyAtOnce(options: LoadOptions): Promise<LoadResult> {
  const hasWrk = spawnSync("wrk", ["--version"]).error === undefined;
  return hasWrk ? byWrk(options) : byAutocannon(options);
}

async function byWrk({ url, path, tokensFile, connections, seconds }: LoadOptions): Promise<LoadResult> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s", "-s", SCRIPT, url, "--", path, tokensFile];
  const { stdout } = await promisify(execFile)("wrk", args, { maxBuffer: 1 << 24 });
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
  return { generator: "wrk", ...(JSON.parse(line) as Omit<LoadResult, "generator">) };
}

async function byAutocannon({ url, path, tokens, connections, seconds }: LoadOptions): Promise<LoadResult> {
  const paths = path.split(",");
  const requests = tokens.map((token, index) => ({
    method: "POST" as const,
    path: paths[index % paths.length] ?? path,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"quantity":1}',
  }));
  const result = await autocannon({ url, connections, duration: seconds, timeout: 30, requests });
  const { latency } = result;
  return {
    generator: "autocannon",
    answers: result["2xx"] + result.non2xx,
    seconds: result.duration,
    refused: result.non2xx,
    failed: result.errors + result.timeouts,
    p50Ms: latency.p50,
    p95Ms: latency.p97_5,
    p99Ms: latency.p99,
    p999Ms: latency.p99_9,
    maxMs: latency.max,
  };
}
