import type { Report } from "../dev-servers/server-problem.ts";
import { expectedMessage } from "./expected-problem.ts";
import { tellParent } from "./node-message.ts";
import { watchAncestors } from "./watch-parent.ts";

/** npm repeats the Ctrl-C that the terminal sends; within this time two signals count as one. */
const SAME_SIGNAL_MS = 2_000;

/** What a command that brings things up gets. */
export type Lifecycle = {
  /** Registers what must be undone at the end; the latest is undone first. */
  onStop(what: string, run: () => Promise<void> | void): void;
  /** Stops the command as a signal does. It exits with this code. */
  stop(reason: string, exitCode?: number): void;
  /** Aborts when the command is stopped while it starts. */
  abort: AbortSignal;
};

/**
 * Runs a command that brings things up and stays until Ctrl-C, SIGTERM, SIGHUP, or the end of the
 * launching npm. A stopped command exits with 0, also while it starts, after everything is undone.
 * A second signal exits with 1 at once. A start that fails undoes what was done and exits with 1.
 */
export function runUntilStopped(report: Report, start: (life: Lifecycle) => Promise<void>): void {
  const onStop: { what: string; run: () => Promise<void> | void }[] = [];
  const abort = new AbortController();
  let stoppedAtMs: number | undefined;

  const stopAll = async (): Promise<void> => {
    for (const { what, run } of onStop.splice(0).reverse()) {
      try {
        await run();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        report(`${what} could not be stopped cleanly: ${reason}`);
      }
    }
  };
  const stop = (reason: string, exitCode = 0): void => {
    if (stoppedAtMs !== undefined) {
      if (performance.now() - stoppedAtMs < SAME_SIGNAL_MS) return;
      report(`${reason} again: exiting at once; started processes end by themselves`);
      process.exit(1);
    }
    stoppedAtMs = performance.now();
    report(`stopping (${reason})`);
    abort.abort(new Error("stopped"));
    void starting.then(stopAll).then(() => {
      report("stopped");
      process.exit(exitCode);
    });
  };

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => stop(signal));
  // A closed terminal takes the output with it; stopping continues without.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  watchAncestors(stop);

  // Starts last: its first steps may block for seconds, and the handlers must be in place by then.
  const starting = start({
    onStop: (what, run) => onStop.push({ what, run }),
    stop,
    abort: abort.signal,
  }).catch(async (error: unknown) => {
    if (abort.signal.aborted) return;
    const problem = expectedMessage(error);
    const isTold = problem !== undefined && (await tellParent({ problem }));
    if (!isTold) console.error(problem ?? error);
    abort.abort(error); // Ends what is still starting beside it.
    await stopAll();
    process.exit(1);
  });
}
