import { spawn, type ChildProcess } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { processEnvironment } from "../../config/index.ts";
import { watchAncestors } from "../../tools/process/watch-parent.ts";
import { provideBrowser } from "../../tools/testing/browser.ts";
import { ServerProblem, messageOf } from "../../tools/dev-servers/server-problem.ts";
import { ROOT, runStaticChecks } from "../../tools/testing/static-checks.ts";
import { type TestPlan, planTests } from "../../tools/testing/test-arguments.ts";
import {
  startTestServers,
  testEnvironment,
  type TestServers,
} from "../../tools/testing/test-servers.ts";
import { buildWebApp } from "../../tools/web-build/build.ts";

/** For one file: a hang fails by name instead of stopping everything. */
const FILE_WITHIN_MS = 300_000;
/** Files. Most of a test's time is spent waiting (for a lease, a heartbeat, a browser), and each file has a database, a vhost and a bus of its own. */
const AT_ONCE = 2;

const report = (line: string): void => console.log(`test: ${line}`);
const abort = new AbortController();

/** `npm test`: static checks while the servers come up, then every test on servers of its own. Answers the exit code. */
async function main(): Promise<number> {
  const plan = planTests(process.argv.slice(2));
  if (plan.files.length === 0) {
    console.error("No test file matches.");
    return 1;
  }
  const checks = plan.checks ? runStaticChecks(report, abort.signal) : Promise.resolve([]);
  const build = plan.needsServers ? builtWebApp() : Promise.resolve([]);
  const [failedChecks, failedBuild, started] = await Promise.all([
    checks,
    build,
    startServers(plan).catch((error: unknown) => {
      if (error instanceof ServerProblem) return error;
      throw error;
    }),
  ]);
  if (started instanceof ServerProblem) {
    console.error(started.message);
    return 1;
  }
  try {
    abort.signal.throwIfAborted();
    const { code, totals } = await runTests(plan.files, started);
    const ran = Number(totals.find((line) => line.startsWith("ℹ tests "))?.slice(8) ?? 0);
    const failures = [
      ...failedChecks,
      ...failedBuild,
      ...(code === 0 ? [] : ["tests"]),
      ...(ran === 0 ? ["no test ran"] : []),
    ];
    if (failures.length > 0) console.log(`\n✖ ${failures.join(", ")}\n${totals.join("\n")}`);
    return failures.length === 0 ? 0 : 1;
  } finally {
    await started.stop();
    if (plan.keep) console.log(`test: kept ${started.folder}`);
  }
}

async function startServers({ keep, needsServers, needsBrowser }: TestPlan): Promise<TestServers> {
  // Two installations at once would wait for each other's lock.
  const servers = await startTestServers({
    report,
    abort: abort.signal,
    keep,
    start: needsServers,
  });
  try {
    if (needsBrowser) provideBrowser(report);
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** What the gateway serves as pages. Answers what failed: the tests of everything else run all the same. */
async function builtWebApp(): Promise<string[]> {
  try {
    await buildWebApp(report, { environment: processEnvironment(), abort: abort.signal });
    return [];
  } catch (error) {
    report(messageOf(error));
    return ["the web app"];
  }
}

/** Shows the run as it goes, and remembers its closing lines. */
async function runTests(
  files: readonly string[],
  servers: TestServers,
): Promise<{ code: number; totals: string[] }> {
  const options = [
    "--test",
    `--test-concurrency=${AT_ONCE}`,
    `--test-timeout=${FILE_WITHIN_MS}`,
    "--test-reporter=spec",
  ];
  const child = spawn(process.execPath, [...options, ...files], {
    cwd: ROOT,
    env: testEnvironment(servers),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const endTests = () => child.kill("SIGTERM");
  abort.signal.addEventListener("abort", endTests);
  let tail = "";
  child.stdout.on("data", (chunk: Buffer) => {
    process.stdout.write(chunk);
    tail = (tail + chunk.toString()).slice(-200_000);
  });
  const code = await exitCode(child);
  const totals = stripVTControlCharacters(tail)
    .split("\n")
    .filter((line) => /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(line));
  return { code, totals };
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function stop(why: string): void {
  if (abort.signal.aborted) return;
  report(`stopping (${why})`);
  abort.abort(new Error(why));
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => stop(signal));
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
watchAncestors(stop);

main().then(
  (code) => process.exit(abort.signal.aborted ? 130 : code),
  (error: unknown) => {
    if (!abort.signal.aborted) console.error(error);
    process.exit(abort.signal.aborted ? 130 : 1);
  },
);
