import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "../../config/index.ts";
import type { ServiceName } from "../../config/services.ts";
import { HEAP_FLAGS } from "../../lib/observability/gc-tuning.ts";
import { withDeathSignal } from "../dev-servers/death-signal.ts";
import { type Report, secondsSince, ServerProblem } from "../dev-servers/server-problem.ts";
import { eachLine } from "./split-lines.ts";

/** How one node runs. The environment is complete: nothing of this process is added. */
export type NodeLaunch = {
  name: string;
  service: ServiceName;
  /** A copy of cli/program.ts. */
  program: string;
  environment: Environment;
  port: number | undefined;
  healthPort: number;
  metricsPort: number;
  /** Receives each line that the node writes. */
  output: (line: string) => void;
  report: Report | undefined;
};

/** What differs at one start. */
type OtherLaunch = {
  /** Another copy of cli/program.ts. */
  program?: string | undefined;
  /** A command in front of Node's, which ends as Node: it limits the process. */
  wrapper?: readonly string[];
};

/** One process of a cluster, running or not. */
export type ClusterNode = {
  readonly name: string;
  readonly service: ServiceName;
  /** The copy of cli/program.ts that it runs unless `start` names another. */
  readonly program: string;
  /** Address of its gateway, if it runs one. */
  readonly url: string | undefined;
  readonly healthUrl: string;
  readonly metricsUrl: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Whether it runs with a changed environment, or otherwise than launched. */
  readonly changed: boolean;
  /**
   * Starts it unless it runs, and waits until it is ready. `changed` variables and `other` hold
   * until the next start.
   */
  start(changed?: Environment, other?: OtherLaunch): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  freeze(): void;
  thaw(): void;
  /** Sends SIGTERM, and SIGKILL after a minute. Returns how it ended, as `exit code 0`. */
  stop(): Promise<string>;
  /** Resolves with how the running process ended; at once where none runs. */
  ended(): Promise<string>;
};

/** Generous: on a busy machine many nodes compile their program at once. */
const READY_TIMEOUT_MS = 600_000;
const REPORT_INTERVAL_MS = 15_000;
/** A node takes 12 s at most; then Node writes its compile cache, slowly on a busy disk. */
const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** Lines of a node's output that an error repeats. */
const LAST_LINES = 6;

/** Creates a node that does not run yet. */
export function clusterNode(launch: NodeLaunch): ClusterNode {
  const { name, service, port, healthPort, metricsPort } = launch;
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  const lastLines: string[] = [];
  let child: ChildProcess | undefined;
  let differs = false;
  let end: Promise<string> = Promise.resolve("not started");

  const onLine = (line: string): void => {
    lastLines.push(line);
    lastLines.splice(0, lastLines.length - LAST_LINES);
    launch.output(line);
  };
  const run = (changed: Environment, { program, wrapper = [] }: OtherLaunch): void => {
    const node = [process.execPath, ...HEAP_FLAGS, program ?? launch.program, "node"];
    const [first = "", ...rest] = [...wrapper, ...node];
    const { command, args } = withDeathSignal("SIGKILL", [first, ...rest]);
    // A session of its own: Ctrl-C at the terminal reaches only this process, which stops in order.
    const started = spawn(command, args, {
      env: { ...launch.environment, ...changed },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [started.stdout, started.stderr]) eachLine(stream, onLine);
    child = started;
    differs =
      Object.keys(changed).length > 0 ||
      wrapper.length > 0 ||
      (program !== undefined && program !== launch.program);
    end = new Promise((resolve) => {
      const onEnd = (how: string): void => {
        if (child === started) child = undefined;
        resolve(how);
      };
      started.once("error", (error) => onEnd(error.message));
      started.once("exit", (code, signal) => onEnd(signal ?? `exit code ${code ?? "unknown"}`));
    });
  };
  const signal = (which: NodeJS.Signals): void => void child?.kill(which);

  return {
    name,
    service,
    program: launch.program,
    healthUrl,
    url: port === undefined ? undefined : `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    get pid() {
      return child?.pid;
    },
    get changed() {
      return child !== undefined && differs;
    },
    async start(changed = {}, other = {}) {
      if (child !== undefined) return;
      run(changed, other);
      const startedMs = performance.now();
      let reportAtMs = startedMs + REPORT_INTERVAL_MS;
      while (!(await isReady(healthUrl))) {
        const nowMs = performance.now();
        if (child === undefined)
          throw new ServerProblem(`${name} did not start (${await end}): ${lastLines.join(" | ")}`);
        if (nowMs > startedMs + READY_TIMEOUT_MS)
          throw new ServerProblem(`${name} was not ready within ${READY_TIMEOUT_MS / 1_000} s`);
        if (nowMs > reportAtMs) {
          launch.report?.(`waiting until ${name} is ready (${secondsSince(startedMs)})`);
          reportAtMs = nowMs + REPORT_INTERVAL_MS;
        }
        await delay(POLL_MS);
      }
    },
    kill: signal,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async stop() {
      signal("SIGTERM");
      signal("SIGCONT"); // A frozen process would not read the signal.
      const timer = setTimeout(() => signal("SIGKILL"), STOP_TIMEOUT_MS);
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
