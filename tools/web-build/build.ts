import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOT } from "../root.ts";
import { type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { isBuiltFrom, stampOfSources } from "./sources.ts";

const PROGRAM = fileURLToPath(new URL("build-worker.ts", import.meta.url));

/**
 * Brings public/dist up to date with its sources. Builds in a process of its own, which frees its
 * memory. Rejects with the output of a failed build.
 */
export async function buildWebApp(
  report: Report,
  {
    again = false,
    abort,
    environment,
  }: { again?: boolean; abort?: AbortSignal; environment: NodeJS.ProcessEnv },
): Promise<void> {
  if (!again && isBuiltFrom(stampOfSources())) return;
  const started = performance.now();
  const summary = await runBuild(environment, abort);
  report(`built the web app: ${summary} (${secondsSince(started)})`);
}

/** Returns the build's last line. */
function runBuild(
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    // The pages are built for production also where the engine's NODE_ENV is another.
    const env = { ...environment, NODE_ENV: "production" };
    const child = spawn(process.execPath, [PROGRAM], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output.trim().split("\n").at(-1) ?? "");
      else reject(new Error(`The web app could not be built:\n${(errors || output).trim()}`));
    });
  });
}
