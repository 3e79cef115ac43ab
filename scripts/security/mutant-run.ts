import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../static-checks.ts";
import { type Edit, edited } from "./mutant.ts";
import type { Outcome } from "./reporter.ts";
import type { Title } from "./titles.ts";

const REPORTER = fileURLToPath(new URL("reporter.ts", import.meta.url));
/** A test that hangs without its protection has noticed. */
const TEST_WITHIN_MS = 120_000;
const NOT_COPIED = new Set([".git", ".data", "node_modules", "bench/results"]);

/** A copy of the working tree in `folder`, in which code may be broken; packages are the tree's own. */
export function copyTree(folder: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(ROOT, folder, { recursive: true, filter: (source) => !NOT_COPIED.has(relative(ROOT, source)) });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

/** Makes the edits in the copy; the answer takes them back. */
export function takeOut(folder: string, edits: readonly Edit[]): () => void {
  const before = new Map(edits.map(([file]) => [file, readFileSync(join(folder, file), "utf8")]));
  const after = new Map(before);
  for (const edit of edits) after.set(edit[0], edited(after.get(edit[0]) ?? "", edit));
  const write = (files: ReadonlyMap<string, string>): void => {
    for (const [file, text] of files) writeFileSync(join(folder, file), text);
  };
  write(after);
  return () => write(before);
}

/** Runs single tests of one file in the copy. Answers what came of them, and what was said. */
export function runInCopy(
  folder: string,
  file: string,
  titles: readonly Title[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<{ outcomes: Outcome[]; said: string }> {
  const patterns = titles.map(({ title }) => `--test-name-pattern=${title.replaceAll(/[/\\^$.*+?()[\]{}|]/g, "\\$&")}`);
  const reporters = [
    `--test-reporter=${REPORTER}`,
    "--test-reporter-destination=stdout",
    "--test-reporter=spec",
    "--test-reporter-destination=stderr",
  ];
  const args = ["--test", `--test-timeout=${TEST_WITHIN_MS}`, ...patterns, ...reporters, file];
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
