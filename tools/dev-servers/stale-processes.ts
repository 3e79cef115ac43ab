import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startedAt } from "./process-identity.ts";
import { ServerProblem, type Report } from "./server-problem.ts";

const END_TIMEOUT_MS = 20_000;

/** Records the process of this folder: the next start recognizes a leftover, not a reused pid. */
export function rememberProcess(folder: string, pid: number): void {
  writeFileSync(fileOf(folder), JSON.stringify({ pid, started: startedAt(pid) }), { mode: 0o600 });
}

export function forgetProcess(folder: string): void {
  rmSync(fileOf(folder), { force: true });
}

/**
 * Ends the server that a killed engine left on this folder. On Linux the kernel has signaled it
 * already, so this mostly waits.
 */
export async function endLeftover(
  folder: string,
  label: string,
  stopSignal: NodeJS.Signals,
  report: Report,
): Promise<void> {
  const leftover = readLeftover(folder);
  if (leftover?.started === undefined || startedAt(leftover.pid) !== leftover.started) return;
  report(`${label}: waiting for process ${leftover.pid} of an earlier run to end`);
  const isRunning = () => startedAt(leftover.pid) === leftover.started;
  signal(leftover.pid, "SIGCONT");
  signal(leftover.pid, stopSignal);
  const deadline = performance.now() + END_TIMEOUT_MS;
  while (isRunning()) {
    if (performance.now() > deadline) signal(leftover.pid, "SIGKILL");
    if (performance.now() > deadline + END_TIMEOUT_MS)
      throw new ServerProblem(
        `${label}: process ${leftover.pid} of an earlier run does not end; stop it by hand.`,
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
    // It ended in between.
  }
}
