import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "../../config/index.ts";
import { HEAP_FLAGS } from "../../lib/observability/gc-tuning.ts";
import { withDeathSignal } from "../dev-servers/death-signal.ts";
import { type Report, secondsSince, ServerProblem } from "../dev-servers/server-problem.ts";
import type { NodeMessage } from "../process/node-message.ts";
import { restartWaits, whenText } from "../process/restart-waits.ts";
import { ROOT } from "../root.ts";

export type EngineLaunch = {
  /** Complete: nothing of this process' environment is added. */
  environment: Environment;
  report: Report;
  /** Called at each start, when the node serves. */
  onReady: (ready: { pid: number; url: string | undefined }) => void;
  /** The node will not be started again. `expected`: it was asked to end, as by `drain`. */
  onEnd: (reason: string, expected: boolean) => void;
};

export type EngineProcess = {
  /** Starts the node and waits until it serves. Rejects with a ServerProblem if it ends first. */
  start(): Promise<void>;
  /** Ends the node, running or starting. Never rejects. May be called again. */
  stop(): Promise<void>;
};

/** The node said what a person must mend. */
class NodeProblem extends ServerProblem {}

/** `asked`: exit code 0, as after SIGTERM. */
type End = { how: string; asked: boolean };

/** A node takes 12 s at most; then Node writes its compile cache, slowly on a busy disk. */
const STOP_TIMEOUT_MS = 60_000;

/**
 * Runs a node in a process of its own. A process that ends unasked is started again: at once, then
 * with growing waits, without limit. Not started again: a first start that fails, a start that
 * fails for a reason a person must mend, and a process that was asked to end (exit code 0).
 */
export function engineProcess({
  environment,
  report,
  onReady,
  onEnd,
}: EngineLaunch): EngineProcess {
  const ending = new AbortController();
  let child: ChildProcess | undefined;
  let ended: Promise<End> | undefined;
  const waits = restartWaits();

  const run = async (): Promise<void> => {
    const node = spawnNode(environment);
    let problem: string | undefined;
    let readyAtMs: number | undefined;
    child = node;
    ended = endOf(node);
    const ready = new Promise<void>((resolve) => {
      node.on("message", (message: NodeMessage) => {
        if ("problem" in message) problem = message.problem;
        else {
          readyAtMs = performance.now();
          if (node.pid !== undefined) onReady({ pid: node.pid, url: message.url });
          resolve();
        }
      });
    });
    const over = ended.then(({ how, asked }) => {
      child = undefined;
      if (problem !== undefined) throw new NodeProblem(problem);
      if (readyAtMs === undefined)
        throw new ServerProblem(`the engine's process did not start (${how})`);
      if (ending.signal.aborted) return;
      const what = `the engine's process ${node.pid} ended (${how})`;
      if (asked) onEnd(what, true);
      else void revive(what, performance.now() - readyAtMs);
    });
    await Promise.race([ready, over]);
  };
  const revive = async (what: string, ranMs: number): Promise<void> => {
    const diedAtMs = performance.now();
    for (let reason = what, lastMs = ranMs; ; lastMs = 0) {
      const waitMs = waits.next(lastMs);
      report(`${reason}; starting it again ${whenText(waitMs)}`);
      try {
        await delay(waitMs, undefined, { signal: ending.signal });
        await run();
        report(`the engine's process is back (${secondsSince(diedAtMs)})`);
        return;
      } catch (error) {
        if (ending.signal.aborted) return;
        reason = error instanceof Error ? error.message : String(error);
        if (error instanceof NodeProblem) {
          onEnd(reason, false);
          return;
        }
      }
    }
  };
  return {
    start: run,
    async stop() {
      ending.abort();
      const node = child;
      if (node === undefined) return;
      node.kill("SIGTERM");
      node.kill("SIGCONT"); // A frozen process would not read the signal.
      const timer = setTimeout(() => node.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A session of its own: Ctrl-C reaches only this process, which then stops everything in order. */
function spawnNode(environment: Environment): ChildProcess {
  const { command, args } = withDeathSignal("SIGKILL", [
    process.execPath,
    ...HEAP_FLAGS,
    join(ROOT, "cli", "program.ts"),
    "node",
  ]);
  return spawn(command, args, {
    env: { ...environment, BOXOFFICE_LAUNCHER_PID: String(process.pid) },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    detached: true,
  });
}

function endOf(node: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    node.once("error", (error) => resolve({ how: error.message, asked: false }));
    node.once("exit", (code, signal) =>
      resolve({ how: signal ?? `exit code ${code ?? "unknown"}`, asked: code === 0 }),
    );
  });
}
