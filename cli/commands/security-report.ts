import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { processEnvironment } from "../../config/index.ts";
import { watchAncestors } from "../../tools/process/watch-parent.ts";
import { mutantsPart } from "../../tools/security/mutants-report.ts";
import { securityPage } from "../../tools/security/report-page.ts";
import type { Outcome } from "../../tools/security/reporter.ts";
import { readTitles } from "../../tools/security/titles.ts";
import { ServerProblem } from "../../tools/dev-servers/server-problem.ts";
import { ROOT } from "../../tools/testing/static-checks.ts";
import {
  startTestServers,
  testEnvironment,
  type TestServers,
} from "../../tools/testing/test-servers.ts";
import { buildWebApp } from "../../tools/web-build/build.ts";

const REPORTER = fileURLToPath(new URL("../../tools/security/reporter.ts", import.meta.url));
const FILE_WITHIN_MS = 300_000;

const report = (line: string): void => console.log(`security: ${line}`);
const abort = new AbortController();

/** `npm run security-report`: runs the tests of the checklist and writes docs/security.md, but for what `security-mutants` wrote there. Answers the exit code: 1 where a line does not hold. */
async function main(): Promise<number> {
  const files = [...new Set(readTitles().map(({ file }) => file))];
  const servers = await startTestServers({ report, abort: abort.signal, keep: false, start: true });
  try {
    await buildWebApp(report, { environment: processEnvironment(), abort: abort.signal });
    const outcomes = await runTests(files, servers);
    const { page, missing } = securityPage(outcomes, new Date().toISOString().slice(0, 10));
    mkdirSync(join(ROOT, "docs"), { recursive: true });
    const file = join(ROOT, "docs", "security.md");
    const mutants = existsSync(file) ? mutantsPart(readFileSync(file, "utf8")) : "";
    writeFileSync(file, mutants === "" ? page : `${page}\n${mutants}`);
    report(`${outcomes.length} tests in ${files.length} files; written to docs/security.md`);
    for (const { title, outcome } of outcomes)
      if (outcome !== "pass") report(`${outcome}: ${title}`);
    report(
      missing.length === 0
        ? "every line holds"
        : `these lines do not hold, or have no test: ${missing.join(", ")}`,
    );
    return missing.length === 0 ? 0 : 1;
  } finally {
    await servers.stop();
  }
}

/** Shows the run as it goes on the standard error, and collects what it says of the lines. */
function runTests(files: readonly string[], servers: TestServers): Promise<Outcome[]> {
  const reporters = [
    `--test-reporter=${REPORTER}`,
    "--test-reporter-destination=stdout",
    "--test-reporter=spec",
    "--test-reporter-destination=stderr",
  ];
  const options = [
    "--test",
    "--test-concurrency=1",
    `--test-timeout=${FILE_WITHIN_MS}`,
    ...reporters,
  ];
  const child = spawn(process.execPath, [...options, ...files], {
    cwd: ROOT,
    env: testEnvironment(servers),
    stdio: ["ignore", "pipe", "inherit"],
    signal: abort.signal,
    killSignal: "SIGTERM",
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      const rows = said.split("\n").filter((line) => line.startsWith("{"));
      resolve(rows.map((line) => JSON.parse(line) as Outcome));
    });
  });
}

function stop(why: string): void {
  if (!abort.signal.aborted) abort.abort(new Error(`stopped (${why})`));
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => stop(signal));
watchAncestors(stop);

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(
      error instanceof ServerProblem || abort.signal.aborted ? (error as Error).message : error,
    );
    process.exit(abort.signal.aborted ? 130 : 1);
  },
);
