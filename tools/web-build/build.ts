import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOT } from "../root.ts";
import { type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { isBuiltFrom, stampOfSources } from "./sources.ts";

const PROGRAM = fileURLToPath(new URL("build-worker.ts", import.meta.url));

/**
 * Brings public/dist up to date with its sources: a few milliseconds where it is, else a build of some seconds in a process of its own, whose memory
 * goes with it. Rejects with what the build complained about, its budget included.
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
  const words = await runBuild(environment, abort);
  report(`built the web app: ${words} (${secondsSince(started)})`);
}

/** Answers the build's last line. */
function runBuild(
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    // Vite and React build for production whatever this environment says of the engine.
    const env = { ...environment, NODE_ENV: "production" };
    const child = spawn(process.execPath, [PROGRAM], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    let output = "";
    let complaints = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output.trim().split("\n").at(-1) ?? "");
      else reject(new Error(`The web app could not be built:\n${(complaints || output).trim()}`));
    });
  });
}
