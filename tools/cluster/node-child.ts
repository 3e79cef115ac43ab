import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment, ServiceName } from "../../config/index.ts";
import { HEAP_FLAGS } from "../../lib/observability/gc-tuning.ts";
import { dyingWithUs } from "../dev-servers/death-signal.ts";
import { type Report, ServerProblem } from "../dev-servers/server-problem.ts";
import { eachLine } from "./split-lines.ts";

/** How one node is run. The environment is whole: nothing is taken from ours. */
export type NodeLaunch = {
  name: string;
  service: ServiceName;
  program: string;
  environment: Environment;
  port: number | undefined;
  healthPort: number;
  metricsPort: number;
  /** Hears each line the node writes. */
  report: Report;
};

/** One process of a cluster, running or not. */
export type ClusterNode = {
  readonly name: string;
  readonly service: ServiceName;
  /** Of its gateway, if it runs one. */
  readonly url: string | undefined;
  readonly healthUrl: string;
  readonly metricsUrl: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Whether it runs with another environment than its own. */
  readonly changed: boolean;
  /** Starts it where it does not run, and waits until it is ready. What is given here is changed in its environment until the next start. */
  start(changed?: Environment): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  freeze(): void;
  thaw(): void;
  /** SIGTERM, and SIGKILL where that takes longer than a minute. Answers how it ended: `exit code 0` where all was finished in order. */
  stop(): Promise<string>;
  /** Resolves when the process that runs now has ended, with how; at once where none runs. */
  ended(): Promise<string>;
};

const READY_WITHIN_MS = 90_000;
/**
 * A node gives itself 12 s; then Node writes what it has compiled (NODE_COMPILE_CACHE, 1,300 small files the first time): 2 s for four nodes, 10 s beside
 * others who write to the same disk.
 */
const STOP_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;
const LAST_WORDS = 6;

/** A node that has not been started yet. */
export function clusterNode(launch: NodeLaunch): ClusterNode {
  const { name, service, port, healthPort, metricsPort } = launch;
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  const words: string[] = [];
  let child: ChildProcess | undefined;
  let differs = false;
  let end: Promise<string> = Promise.resolve("not started");

  const say = (line: string): void => {
    words.push(line);
    words.splice(0, words.length - LAST_WORDS);
    launch.report(line);
  };
  const run = (changed: Environment): void => {
    const { command, args } = dyingWithUs("SIGKILL", [
      process.execPath,
      ...HEAP_FLAGS,
      launch.program,
    ]);
    // A session of its own: Ctrl-C at the terminal reaches only us, who then stop things in order.
    const started = spawn(command, args, {
      env: { ...launch.environment, ...changed },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [started.stdout, started.stderr]) eachLine(stream, say);
    child = started;
    differs = Object.keys(changed).length > 0;
    end = new Promise((resolve) => {
      const over = (how: string): void => {
        if (child === started) child = undefined;
        resolve(how);
      };
      started.once("error", (error) => over(error.message));
      started.once("exit", (code, signal) => over(signal ?? `exit code ${code ?? "unknown"}`));
    });
  };
  const signal = (which: NodeJS.Signals): void => void child?.kill(which);

  return {
    name,
    service,
    healthUrl,
    url: port === undefined ? undefined : `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    get pid() {
      return child?.pid;
    },
    get changed() {
      return child !== undefined && differs;
    },
    async start(changed = {}) {
      if (child !== undefined) return;
      run(changed);
      const deadline = performance.now() + READY_WITHIN_MS;
      while (!(await isReady(healthUrl))) {
        if (child === undefined)
          throw new ServerProblem(`${name} did not start (${await end}): ${words.join(" | ")}`);
        if (performance.now() > deadline)
          throw new ServerProblem(`${name} was not ready within ${READY_WITHIN_MS / 1_000} s`);
        await delay(LOOK_EVERY_MS);
      }
    },
    kill: signal,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async stop() {
      signal("SIGTERM");
      signal("SIGCONT"); // A frozen process would not read the signal.
      const timer = setTimeout(() => signal("SIGKILL"), STOP_WITHIN_MS);
      const how = await end;
      clearTimeout(timer);
      return how;
    },
    ended: () => end,
  };
}

async function isReady(healthUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${healthUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return false;
  }
}
