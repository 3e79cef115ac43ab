import { type ChildProcess, spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { processEnvironment } from "../../../config/index.ts";
import { messageOf } from "../../../tools/dev-servers/server-problem.ts";
import { ROOT } from "../../../tools/root.ts";
import { provideBrowser } from "../../../tools/testing/browser.ts";
import { runStaticChecks } from "../../../tools/testing/static-checks.ts";
import { testArguments, type TestPlan } from "../../../tools/testing/test-plan.ts";
import {
  startTestServers,
  testEnvironment,
  type TestServers,
} from "../../../tools/testing/test-servers.ts";
import { buildWebApp } from "../../../tools/web-build/build.ts";

/**
 * Files that run at once, also on two cores: half of the time a test waits for a server, a process
 * or a page. Each file has a database and a bus of its own.
 */
const CONCURRENCY = 3;
const TAIL_CHARACTERS = 200_000;

const report = (line: string): void => console.log(`test: ${line}`);

/** Runs static checks while the servers start, then the tests. Returns the exit code. */
export async function runTests(plan: TestPlan, abort: AbortSignal): Promise<number> {
  const [failedChecks, failedBuild, servers] = await Promise.all([
    plan.checks ? runStaticChecks(report, abort) : [],
    plan.needsServers ? buildPages(abort) : [],
    startServers(plan, abort),
  ]);
  try {
    abort.throwIfAborted();
    const { code, totals } = await runFiles(plan, servers, abort);
    const count = Number(totals.find((line) => line.startsWith("ℹ tests "))?.slice(8) ?? 0);
    const failures = [
      ...failedChecks,
      ...failedBuild,
      ...(code === 0 ? [] : ["tests"]),
      ...(count === 0 && !plan.inspect ? ["no test ran"] : []),
    ];
    if (failures.length > 0) console.log(`\n✖ ${failures.join(", ")}\n${totals.join("\n")}`);
    return failures.length === 0 ? 0 : 1;
  } finally {
    await servers.stop();
    if (plan.keep) report(`kept ${servers.folder}`);
  }
}

async function startServers(plan: TestPlan, abort: AbortSignal): Promise<TestServers> {
  const { keep, needsServers, needsBrowser } = plan;
  const servers = await startTestServers({ report, abort, keep, start: needsServers });
  try {
    // After the servers: two installations at once would wait for each other's lock.
    if (needsBrowser) provideBrowser(report);
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Builds the pages that the gateway serves. A failure does not stop the other tests. */
async function buildPages(abort: AbortSignal): Promise<string[]> {
  try {
    await buildWebApp(report, { environment: processEnvironment(), abort });
    return [];
  } catch (error) {
    report(messageOf(error));
    return ["the web app"];
  }
}

/** Shows the run and keeps its closing lines. */
async function runFiles(
  plan: TestPlan,
  servers: TestServers,
  abort: AbortSignal,
): Promise<{ code: number; totals: string[] }> {
  const child = spawn(process.execPath, [...nodeOptions(plan), ...plan.files], {
    cwd: ROOT,
    env: {
      ...testEnvironment(servers),
      ...(plan.keep ? { KEEP_SCREENSHOTS: "yes" } : {}),
      ...(plan.renew ? { RENEW_PICTURES: "yes" } : {}),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  abort.addEventListener("abort", () => child.kill("SIGTERM"));
  let tail = "";
  child.stdout.on("data", (chunk: Buffer) => {
    process.stdout.write(chunk);
    tail = (tail + chunk.toString()).slice(-TAIL_CHARACTERS);
  });
  const code = await exitCode(child);
  const totals = stripVTControlCharacters(tail)
    .split("\n")
    .filter((line) => /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(line));
  return { code, totals };
}

/** Under the debugger the file runs in one process without a time-out. */
function nodeOptions({ inspect, name }: TestPlan): string[] {
  const pattern = name === undefined ? [] : [`--test-name-pattern=${name}`];
  const reporter = "--test-reporter=spec";
  if (inspect) return ["--inspect-wait", reporter, ...pattern];
  return [...testArguments(), `--test-concurrency=${CONCURRENCY}`, reporter, ...pattern];
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("close", (code) => resolve(code ?? 1));
  });
}
