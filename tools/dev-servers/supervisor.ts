import { spawn, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processEnvironment } from "../../config/index.ts";
import type { Account } from "./unix-account.ts";
import { HAS_DEATH_SIGNAL, withDeathSignal } from "./death-signal.ts";
import { lastLines, openLog } from "./log-tail.ts";
import { forgetProcess, rememberProcess } from "./stale-processes.ts";
import { ServerProblem, folderProblem, secondsSince, type Report } from "./server-problem.ts";

/** How one server runs. `folder` has its log and pid file; `workFolder` belongs to the account. */
export type Launch = {
  label: string;
  command: string;
  args: readonly string[];
  environment?: Readonly<Record<string, string>>;
  folder: string;
  workFolder: string;
  account: Account | undefined;
  port: number;
  /** The kernel sends it too when this process dies. */
  stopSignal: "SIGTERM" | "SIGINT";
  stopTimeoutMs: number;
  /** Polled until true; throws where waiting longer is useless. */
  isReady(): Promise<boolean>;
};

export type Supervised = {
  readonly pid: number | undefined;
  readonly port: number;
  /** Sends a signal to the server. A death by it does not count: with `restart` it comes back. */
  kill(signal: NodeJS.Signals): void;
  /**
   * Stops it if it runs, then starts it on the same data and port. `environment` is added until the
   * next call, for the server alone: as its own account.
   */
  restart(environment?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it until restart(). Never throws. */
  stop(): Promise<void>;
};

/** Generous, since the machine may be busy; a line every few seconds says what is waited for. */
const READY_TIMEOUT_MS = 600_000;
const REPORT_INTERVAL_MS = 10_000;
const POLL_MS = 40;
const QUICK_DEATHS_MAX = 5;
const QUICK_MS = 30_000;
const UNREADY_STOP_TIMEOUT_MS = 3_000;
const BACKOFF_MS = [0, 250, 1_000, 2_000, 4_000];

/**
 * Starts a server and waits until it answers. With `restart`, a server that dies is started again
 * and reported; after five quick deaths in a row it stays down. Throws a ServerProblem with the
 * last lines of the server's log when the first start fails.
 */
export async function supervise(
  launch: Launch,
  options: { restart: boolean; report: Report; abort?: AbortSignal | undefined },
): Promise<Supervised> {
  const { label } = launch;
  let child: ChildProcess | undefined;
  let added: Readonly<Record<string, string>> = {};
  let wanted = true;
  let quickDeaths = 0;
  let reviving: Promise<void> | undefined;
  const isWanted = () => wanted && options.abort?.aborted !== true;

  async function run(): Promise<void> {
    const variables = Object.entries(added).map(([name, value]) => `${name}=${value}`);
    const spawned = spawnServer(
      variables.length === 0
        ? launch
        : { ...launch, command: "env", args: [...variables, launch.command, ...launch.args] },
    );
    child = spawned.child;
    try {
      await waitUntilReady(launch, spawned, isWanted, options.report);
    } catch (error) {
      // It has nothing to finish, and RabbitMQ ignores SIGTERM while it boots.
      await endChild(
        spawned.child,
        launch,
        Math.min(launch.stopTimeoutMs, UNREADY_STOP_TIMEOUT_MS),
      );
      child = undefined;
      throw error;
    }
    const readyAtMs = performance.now();
    void spawned.exited.then((how) => {
      if (child === spawned.child) child = undefined;
      quickDeaths = performance.now() - readyAtMs < QUICK_MS ? quickDeaths + 1 : 1;
      if (wanted && options.restart)
        reviving = revive(`${label} ended (${how}): ${spawned.lastLines()}`);
    });
  }

  async function revive(why: string): Promise<void> {
    const began = performance.now();
    let reason = why;
    for (; quickDeaths <= QUICK_DEATHS_MAX; quickDeaths += 1) {
      options.report(`${reason}; starting it again on its data`);
      await delay(BACKOFF_MS[quickDeaths - 1] ?? BACKOFF_MS.at(-1));
      if (!isWanted()) return;
      try {
        await run();
        options.report(`${label} is back on port ${launch.port} (${secondsSince(began)})`);
        return;
      } catch (error) {
        if (!isWanted()) return;
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    options.report(
      `${label} died ${QUICK_DEATHS_MAX} times in quick succession and stays down. ` +
        `Its log: ${logOf(launch)}. Stop the engine, repair, start again.`,
    );
  }

  async function stop(): Promise<void> {
    wanted = false;
    const running = child;
    if (running !== undefined) await endChild(running, launch);
    await reviving;
    if (child !== undefined && child !== running) await endChild(child, launch);
    child = undefined;
    forgetProcess(launch.folder);
  }

  await run();
  return {
    get pid() {
      return child?.pid;
    },
    port: launch.port,
    kill(signal) {
      quickDeaths = 0;
      child?.kill(signal);
    },
    stop,
    async restart(environment = {}) {
      await stop();
      added = environment;
      wanted = true;
      quickDeaths = 0;
      await run();
    },
  };
}

type Spawned = {
  child: ChildProcess;
  exited: Promise<string>;
  howItEnded(): string | undefined;
  lastLines(): string;
};

function spawnServer(launch: Launch): Spawned {
  const log = logOf(launch);
  const { account } = launch;
  const environment = {
    PATH: processEnvironment().PATH ?? "/usr/bin:/bin",
    LANG: "C.UTF-8",
    TZ: "UTC",
    HOME: launch.workFolder,
  };
  try {
    const opened = openLog(log);
    // Without setpriv the next start finds leftovers by their pid files.
    const { command, args } = withDeathSignal(
      launch.stopSignal,
      [launch.command, ...launch.args],
      account,
    );
    // A session of its own: Ctrl-C reaches only the engine, which then stops servers in order.
    const child = spawn(command, args, {
      cwd: launch.workFolder,
      env: { ...environment, ...launch.environment },
      stdio: ["ignore", opened.descriptor, opened.descriptor],
      detached: true,
      ...(!HAS_DEATH_SIGNAL && account !== undefined ? { uid: account.uid, gid: account.gid } : {}),
    });
    closeSync(opened.descriptor);
    let ended: string | undefined;
    const exited = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve((ended = error.message)));
      child.once("exit", (code, signal) =>
        resolve((ended = signal ?? `exit code ${code ?? "unknown"}`)),
      );
    });
    if (child.pid !== undefined) rememberProcess(launch.folder, child.pid);
    return {
      child,
      exited,
      howItEnded: () => ended,
      lastLines: () => lastLines(log, opened.beginsAt),
    };
  } catch (error) {
    throw folderProblem(error, launch.folder);
  }
}

async function waitUntilReady(
  launch: Launch,
  spawned: Spawned,
  isWanted: () => boolean,
  report: Report,
): Promise<void> {
  const startedMs = performance.now();
  let reportAtMs = startedMs + REPORT_INTERVAL_MS;
  const fail = (what: string) =>
    new ServerProblem(`${launch.label} ${what}: ${spawned.lastLines()} (log: ${logOf(launch)})`);
  for (;;) {
    const ended = spawned.howItEnded();
    if (ended !== undefined) throw fail(`did not start (${ended})`);
    if (await launch.isReady()) return;
    if (!isWanted()) throw fail("was stopped while it started");
    const nowMs = performance.now();
    if (nowMs > startedMs + READY_TIMEOUT_MS)
      throw fail(`did not answer within ${READY_TIMEOUT_MS / 1_000} s`);
    if (nowMs > reportAtMs) {
      report(`waiting until ${launch.label} answers (${secondsSince(startedMs)})`);
      reportAtMs = nowMs + REPORT_INTERVAL_MS;
    }
    await delay(POLL_MS);
  }
}

async function endChild(
  child: ChildProcess,
  launch: Launch,
  timeoutMs = launch.stopTimeoutMs,
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<boolean>((resolve) => child.once("exit", () => resolve(true)));
  child.kill(launch.stopSignal);
  child.kill("SIGCONT"); // A frozen process would not read the signal.
  const timer = new AbortController();
  const inTime = await Promise.race([
    gone,
    delay(timeoutMs, false, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  if (inTime) return;
  child.kill("SIGKILL");
  await gone;
}

function logOf(launch: Launch): string {
  return join(launch.folder, "server.log");
}
