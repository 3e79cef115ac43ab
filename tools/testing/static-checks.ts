import { spawn } from "node:child_process";
import { join } from "node:path";

import { secondsSince, type Report } from "../dev-servers/server-problem.ts";
import { ROOT } from "../root.ts";

const CHECKS = [
  { name: "tsc", args: [] },
  { name: "tsc", args: ["-p", "public"] },
  { name: "eslint", args: ["."] },
  { name: "prettier", args: ["--check", "--log-level=warn", "."] },
] as const;

/** Runs types, lint and format beside each other; reports each with what it complains about. Answers the names of those that failed. */
export async function runStaticChecks(report: Report, abort: AbortSignal): Promise<string[]> {
  const outcomes = await Promise.all(
    CHECKS.map(async ({ name, args }) => {
      const started = performance.now();
      const command = args[0] === "-p" ? `${name} of ${args[1]}` : name;
      const { ok, words } = await runCheck(join(ROOT, "node_modules", ".bin", name), args, abort);
      report(
        ok
          ? `${command} is content (${secondsSince(started)})`
          : `${command} complains:\n${words.trim()}`,
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
): Promise<{ ok: boolean; words: string }> {
  return new Promise((resolve) => {
    let words = "";
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      signal: abort,
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (words += chunk.toString()));
    child.once("error", (error) => resolve({ ok: false, words: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, words }));
  });
}
