import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { withDeathSignal } from "../dev-servers/death-signal.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";

export type ChildProgram = { url: string; stop(): Promise<void> };

const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;

/**
 * Starts Prometheus or Alertmanager as a child, and waits until it is ready. It ends with this
 * process. Throws a ServerProblem with its last lines if it does not come up.
 */
export async function startChildProgram(
  program: string,
  args: readonly string[],
  port: number,
): Promise<ChildProgram> {
  const url = `http://127.0.0.1:${port}`;
  const { command, args: whole } = withDeathSignal("SIGKILL", [program, ...args]);
  const child = spawn(command, whole, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (output = (output + text).slice(-2_000)));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return { url, stop };
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new ServerProblem(`${program} is not ready: ${output.trim()}`);
    }
    await delay(POLL_MS);
  }
}
