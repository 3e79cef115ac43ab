import { globSync } from "node:fs";
import { ROOT } from "./static-checks.ts";

export type TestPlan = {
  files: string[];
  needsServers: boolean;
  needsBrowser: boolean;
  checks: boolean;
  keep: boolean;
};

/**
 * `npm test` runs all; `npm test -- WORD…` runs the files whose path holds one of the words, without the static checks unless
 * --checks is given; --keep leaves the servers' data for a look. Fast files come first. Throws for an option it does not know.
 */
export function planTests(args: readonly string[]): TestPlan {
  const words = args.filter((arg) => !arg.startsWith("--"));
  const unknown = args.find((arg) => arg.startsWith("--") && !["--keep", "--checks"].includes(arg));
  if (unknown !== undefined)
    throw new Error(`npm test does not know ${unknown}; it knows file names, --checks and --keep`);
  const all = globSync("test/**/*.test.ts", { cwd: ROOT }).sort(
    (a, b) => tier(a) - tier(b) || a.localeCompare(b, "en"),
  );
  const files =
    words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)));
  return {
    files,
    needsServers: files.some((file) => tier(file) > 0),
    needsBrowser: files.some((file) => file.includes("/browser-")),
    checks: words.length === 0 || args.includes("--checks"),
    keep: args.includes("--keep"),
  };
}

function tier(file: string): number {
  return file.endsWith(".unit.test.ts") ? 0 : file.endsWith(".int.test.ts") ? 1 : 2;
}
