import { spawn, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processEnvironment } from "../../config/index.ts";
import type { Account } from "./unix-account.ts";
import { KNOWS_OF_OUR_DEATH, dyingWithUs } from "./death-signal.ts";
import { lastWords, openLog } from "./log-tail.ts";
import { forgetProcess, rememberProcess } from "./stale-processes.ts";
import { ServerProblem, folderProblem, secondsSince, type Report } from "./server-problem.ts";

/** How one server is run. `folder` holds its log and pid file and is ours; `workFolder` is the account's. */
export type Launch = {
  label: string;
  command: string;
  args: readonly string[];
  environment?: Readonly<Record<string, string>>;
  folder: string;
  workFolder: string;
  account: Account | undefined;
  port: number;
  /** Also what the kernel sends when our process dies without stopping it. */
  stopSignal: "SIGTERM" | "SIGINT";
  stopWithinMs: number;
  readyWithinMs: number;
  /** Asked again and again; throws where waiting longer is of no use. */
  isReady(): Promise<boolean>;
};

export type Supervised = {
  readonly pid: number | undefined;
  readonly port: number;
  /** Sends a signal to the server. What it dies of is not held against it: with `restart` on it comes back. */
  kill(signal: NodeJS.Signals): void;
  /** Stops it if it runs, and starts it on the same data and port. */
  restart(): Promise<void>;
  /** Ends it for good (until restart). Never throws. */
  stop(): Promise<void>;
};

const QUICK_DEATHS_MAX = 5;
const QUICK_MS = 30_000;
const UNREADY_STOP_MS = 3_000;
const BACK_OFF_MS = [0, 250, 1_000, 2_000, 4_000];

/**
 * Starts a server and waits until it answers. Afterwards one that dies is started again, with a line that says so, unless
 * `restart` is off or it was stopped; after five quick deaths in a row it is left down, with a line that says why.
 * Throws a ServerProblem with the server's last words when the first start fails.
 */
export async function supervise(
  launch: Launch,
  options: { restart: boolean; report: Report; abort?: AbortSignal | undefined },
): Promise<Supervised> {
  const { label } = launch;
  let child: ChildProcess | undefined;
  let wanted = true;
  let quickDeaths = 0;
  let reviving: Promise<void> | undefined;
  const isWanted = () => wanted && options.abort?.aborted !== true;

  async function run(): Promise<void> {
    const spawned = spawnServer(launch);
    child = spawned.child;
    try {
      await waitUntilReady(launch, spawned, isWanted);
    } catch (error) {
      // One that has served nobody has nothing to finish, and RabbitMQ does not hear TERM while it boots.
      await endChild(spawned.child, launch, Math.min(launch.stopWithinMs, UNREADY_STOP_MS));
      child = undefined;
      throw error;
    }
    const readyAtMs = performance.now();
    void spawned.exited.then((how) => {
      if (child === spawned.child) child = undefined;
      quickDeaths = performance.now() - readyAtMs < QUICK_MS ? quickDeaths + 1 : 1;
      if (wanted && options.restart)
        reviving = revive(`${label} ended (${how}): ${spawned.words()}`);
    });
  }

  async function revive(why: string): Promise<void> {
    const began = performance.now();
    let reason = why;
    for (; quickDeaths <= QUICK_DEATHS_MAX; quickDeaths += 1) {
      options.report(`${reason}; starting it again on its data`);
      await delay(BACK_OFF_MS[quickDeaths - 1] ?? BACK_OFF_MS.at(-1));
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
      `${label} died ${QUICK_DEATHS_MAX} times in quick succession and stays down. Its log: ${logOf(launch)}. Stop the engine, repair, start again.`,
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
    async restart() {
      await stop();
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
  words(): string;
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
    // Without setpriv leftovers are found by their pid files at the next start.
    const { command, args } = dyingWithUs(
      launch.stopSignal,
      [launch.command, ...launch.args],
      account,
    );
    // Its own session, so that Ctrl-C at the terminal reaches only the engine, which then stops things in order.
    const child = spawn(command, args, {
      cwd: launch.workFolder,
      env: { ...environment, ...launch.environment },
      stdio: ["ignore", opened.descriptor, opened.descriptor],
      detached: true,
      ...(!KNOWS_OF_OUR_DEATH && account !== undefined
        ? { uid: account.uid, gid: account.gid }
        : {}),
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
    return { child, exited, howItEnded: () => ended, words: () => lastWords(log, opened.beginsAt) };
  } catch (error) {
    throw folderProblem(error, launch.folder);
  }
}

async function waitUntilReady(
  launch: Launch,
  spawned: Spawned,
  isWanted: () => boolean,
): Promise<void> {
  const deadline = performance.now() + launch.readyWithinMs;
  const fail = (what: string) =>
    new ServerProblem(`${launch.label} ${what}: ${spawned.words()} (log: ${logOf(launch)})`);
  for (;;) {
    const ended = spawned.howItEnded();
    if (ended !== undefined) throw fail(`did not start (${ended})`);
    if (await launch.isReady()) return;
    if (!isWanted()) throw fail("was stopped while it started");
    if (performance.now() > deadline)
      throw fail(`did not answer within ${launch.readyWithinMs / 1_000} s`);
    await delay(40);
  }
}

async function endChild(
  child: ChildProcess,
  launch: Launch,
  withinMs = launch.stopWithinMs,
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<boolean>((resolve) => child.once("exit", () => resolve(true)));
  child.kill(launch.stopSignal);
  child.kill("SIGCONT"); // A frozen process would not read the signal.
  const timer = new AbortController();
  const inTime = await Promise.race([
    gone,
    delay(withinMs, false, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  if (inTime) return;
  child.kill("SIGKILL");
  await gone;
}

function logOf(launch: Launch): string {
  return join(launch.folder, "server.log");
}
