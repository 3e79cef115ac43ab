import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startedAt } from "./process-identity.ts";
import { ServerProblem, type Report } from "./server-problem.ts";

const DYING_MS = 20_000;

/** Remembers which process serves this folder, so that the next start can tell a leftover from a stranger with the same pid. */
export function rememberProcess(folder: string, pid: number): void {
  writeFileSync(fileOf(folder), JSON.stringify({ pid, started: startedAt(pid) }), { mode: 0o600 });
}

export function forgetProcess(folder: string): void {
  rmSync(fileOf(folder), { force: true });
}

/**
 * Stops what an engine that was killed left on this folder. Where the kernel tells children of their parent's death (Linux)
 * it is already on its way out and is only waited for; elsewhere it is told now.
 */
export async function endLeftover(
  folder: string,
  label: string,
  stopSignal: NodeJS.Signals,
  report: Report,
): Promise<void> {
  const left = readLeftover(folder);
  if (left?.started === undefined || startedAt(left.pid) !== left.started) return;
  report(`${label}: waiting for process ${left.pid} of an earlier run to end`);
  const lives = () => startedAt(left.pid) === left.started;
  signal(left.pid, "SIGCONT");
  signal(left.pid, stopSignal);
  const deadline = performance.now() + DYING_MS;
  while (lives()) {
    if (performance.now() > deadline) signal(left.pid, "SIGKILL");
    if (performance.now() > deadline + DYING_MS)
      throw new ServerProblem(
        `${label}: process ${left.pid} of an earlier run does not end; stop it by hand.`,
      );
    await delay(50);
  }
  forgetProcess(folder);
}

function readLeftover(folder: string): { pid: number; started?: string } | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder), "utf8")) as { pid: number; started?: string };
  } catch {
    return undefined;
  }
}

function fileOf(folder: string): string {
  return join(folder, "process.json");
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone in between, which is what is wanted.
  }
}
