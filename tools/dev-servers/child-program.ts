import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { withDeathSignal } from "./death-signal.ts";
import { ServerProblem } from "./server-problem.ts";
import type { Account } from "./unix-account.ts";

export type ChildProgram = { pid: number; stop(): Promise<void> };

const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;

/**
 * Starts a program as a child, as the account if one is given, and waits until it is ready. It ends
 * with this process. Throws a ServerProblem with its last lines if it does not come up.
 */
export async function startChildProgram(
  [program, ...args]: readonly [string, ...string[]],
  isReady: () => Promise<boolean>,
  account?: Account,
): Promise<ChildProgram> {
  const whole = withDeathSignal("SIGKILL", [program, ...args], account);
  const child = spawn(whole.command, whole.args, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (output = (output + text).slice(-2_000)));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (): Promise<void> => {
    if (hasEnded()) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await isReady())) {
    if (hasEnded() || performance.now() > deadline) {
      await stop();
      throw new ServerProblem(`${program} is not ready: ${output.trim()}`);
    }
    await delay(POLL_MS);
  }
  return { pid: child.pid ?? 0, stop };
}
