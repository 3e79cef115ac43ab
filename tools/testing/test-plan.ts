import { globSync } from "node:fs";
import { ROOT } from "../root.ts";

/**
 * For one file: a hang fails by name instead of stopping the run. Files take two minutes at most on
 * two idle cores, and several times that where other work has most of them.
 */
const FILE_TIMEOUT_MS = 600_000;

/**
 * Arguments of Node that run test files, each in a process that is ended when its tests are. Node's
 * own end, which waits for each handle to close, sometimes never came (seen in `CleanupHandles` of
 * Node 24.21, at full CPU, where no time-out of the runner reaches it).
 */
export function testArguments(fileTimeoutMs = FILE_TIMEOUT_MS): string[] {
  return ["--test", "--test-force-exit", `--test-timeout=${fileTimeoutMs}`];
}

export type TestOptions = {
  name?: string;
  inspect?: boolean;
  keep?: boolean;
  renew?: boolean;
  checks?: boolean;
};

export type TestPlan = {
  /** Relative to the root; fast files first. */
  files: string[];
  name: string | undefined;
  inspect: boolean;
  needsServers: boolean;
  needsBrowser: boolean;
  checks: boolean;
  keep: boolean;
  /** Writes the pictures of the pages instead of comparing with them. */
  renew: boolean;
};

/** Plans a run of the files whose path has one of the words; of all files without words. */
export function planTests(words: readonly string[], options: TestOptions = {}): TestPlan {
  const files = testFiles().filter(
    (file) => words.length === 0 || words.some((word) => file.includes(word)),
  );
  return {
    files,
    name: options.name,
    inspect: options.inspect === true,
    needsServers: files.some((file) => tier(file) > 0),
    needsBrowser: files.some((file) => file.includes("/browser-")),
    checks: options.checks === true || (words.length === 0 && !options.name && !options.inspect),
    keep: options.keep === true,
    renew: options.renew === true,
  };
}

/** Every test file, relative to the root: unit tests, then those with servers, then end to end. */
export function testFiles(): string[] {
  return globSync("test/**/*.test.ts", { cwd: ROOT }).sort(
    (a, b) => tier(a) - tier(b) || a.localeCompare(b, "en"),
  );
}

function tier(file: string): number {
  if (file.endsWith(".unit.test.ts")) return 0;
  return file.endsWith(".int.test.ts") ? 1 : 2;
}
