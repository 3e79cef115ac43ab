import { spawn } from "node:child_process";
import { join } from "node:path";

import { secondsSince, type Report } from "../dev-servers/server-problem.ts";
import { ROOT } from "../root.ts";

/** Folders whose imports have boundaries (.dependency-cruiser.cjs). */
const ROOMS =
  "config domain lib mixins services types main.ts moleculer.config.ts cli tools test public/src";

/**
 * What a check found in a file counts until the file or one that it imports changes. eslint keeps
 * nothing: its rules read types, and its cache knows no imports.
 */
const kept = (name: string): string => join(".data", "checks", name);
const incremental = (name: string) => ["--incremental", "--tsBuildInfoFile", kept(name)] as const;
const CACHE = ["--cache", "--cache-strategy=content", `--cache-location=${kept("prettier")}`];

export const CHECKS = [
  { name: "tsc", args: incremental("tsc") },
  { name: "tsc", args: ["-p", "public", ...incremental("tsc-public")] },
  { name: "eslint", args: ["."] },
  { name: "prettier", args: ["--check", "--log-level=warn", ...CACHE, "."] },
  { name: "depcruise", args: ["--config", "--", ...ROOMS.split(" ")] },
  { name: "knip", args: ["--no-config-hints"] },
  { name: "markdownlint-cli2", args: ["**/*.md"] },
] as const;

/** Runs the checks at the same time and reports each. Returns the names of those that failed. */
export async function runStaticChecks(report: Report, abort: AbortSignal): Promise<string[]> {
  const outcomes = await Promise.all(
    CHECKS.map(async ({ name, args }) => {
      const started = performance.now();
      const command = args[0] === "-p" ? `${name} of ${args[1]}` : name;
      const { ok, output } = await runCheck(join(ROOT, "node_modules", ".bin", name), args, abort);
      report(
        ok ? `${command} passes (${secondsSince(started)})` : `${command} fails:\n${output.trim()}`,
      );
      return { name: command, ok };
    }),
  );
  return outcomes.filter(({ ok }) => !ok).map(({ name }) => name);
}

function runCheck(
  command: string,
  args: readonly string[],
  abort: AbortSignal,
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      signal: abort,
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
}
