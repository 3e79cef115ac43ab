import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { testArguments } from "../testing/test-plan.ts";
import type { Outcome } from "./reporter.ts";
import type { Title } from "./titles.ts";

const REPORTER = fileURLToPath(new URL("reporter.ts", import.meta.url));
/** A test that hangs without its protection has noticed. */
const TEST_WITHIN_MS = 120_000;

/** Runs single tests of one file in the copy. Answers what came of them, and what was said. */
export function runInCopy(
  folder: string,
  file: string,
  titles: readonly Title[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<{ outcomes: Outcome[]; said: string }> {
  const patterns = titles.map(
    ({ title }) => `--test-name-pattern=${title.replaceAll(/[/\\^$.*+?()[\]{}|]/g, "\\$&")}`,
  );
  const reporters = [
    `--test-reporter=${REPORTER}`,
    "--test-reporter-destination=stdout",
    "--test-reporter=spec",
    "--test-reporter-destination=stderr",
  ];
  const args = [...testArguments(TEST_WITHIN_MS), ...patterns, ...reporters, file];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGTERM",
  });
  let [rows, said] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (rows += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-20_000)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      const outcomes = rows.split("\n").filter((line) => line.startsWith("{"));
      resolve({ outcomes: outcomes.map((line) => JSON.parse(line) as Outcome), said });
    });
  });
}
