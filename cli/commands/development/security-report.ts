import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processEnvironment } from "../../../config/index.ts";
import { ROOT } from "../../../tools/root.ts";
import { mutantsPart } from "../../../tools/security/mutants-report.ts";
import { securityPage } from "../../../tools/security/report-page.ts";
import type { Outcome } from "../../../tools/security/reporter.ts";
import { readTitles } from "../../../tools/security/titles.ts";
import { testArguments } from "../../../tools/testing/test-plan.ts";
import {
  startTestServers,
  testEnvironment,
  type TestServers,
} from "../../../tools/testing/test-servers.ts";
import { buildWebApp } from "../../../tools/web-build/build.ts";

const REPORTER = join(ROOT, "tools", "security", "reporter.ts");

const report = (line: string): void => console.log(`security: ${line}`);

/**
 * Runs the tests of the checklist and writes docs/security.md; the part of `security mutants`
 * stays. Returns 1 where a line does not hold.
 */
export async function runSecurityReport(abort: AbortSignal): Promise<number> {
  const files = [...new Set(readTitles().map(({ file }) => file))];
  const servers = await startTestServers({ report, abort, keep: false, start: true });
  try {
    await buildWebApp(report, { environment: processEnvironment(), abort });
    const outcomes = await runTests(files, servers, abort);
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
        ? "every line of the checklist holds"
        : `these lines do not hold, or have no test: ${missing.join(", ")}`,
    );
    return missing.length === 0 ? 0 : 1;
  } finally {
    await servers.stop();
  }
}

/** Shows the run on standard error and collects the outcomes of the checklist's tests. */
function runTests(
  files: readonly string[],
  servers: TestServers,
  abort: AbortSignal,
): Promise<Outcome[]> {
  const reporters = [
    `--test-reporter=${REPORTER}`,
    "--test-reporter-destination=stdout",
    "--test-reporter=spec",
    "--test-reporter-destination=stderr",
  ];
  const options = [...testArguments(), "--test-concurrency=1", ...reporters];
  const child = spawn(process.execPath, [...options, ...files], {
    cwd: ROOT,
    env: testEnvironment(servers),
    stdio: ["ignore", "pipe", "inherit"],
    signal: abort,
    killSignal: "SIGTERM",
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      const rows = output.split("\n").filter((line) => line.startsWith("{"));
      resolve(rows.map((line) => JSON.parse(line) as Outcome));
    });
  });
}
