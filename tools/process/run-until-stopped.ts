import { ConfigError } from "../../config/index.ts";
import { watchAncestors } from "./watch-parent.ts";
import { MigrationError } from "../database/migrations.ts";
import { type Report, ServerProblem } from "../dev-servers/server-problem.ts";

/** npm passes Ctrl-C on, which the terminal has sent already: within this time two are one. */
const SAME_SIGNAL_MS = 2_000;

/** What a command that brings things up is given. */
export type Lifecycle = {
  /** What must be undone at the end, the latest first. */
  onStop(what: string, run: () => Promise<void> | void): void;
  /** Aborts when the command is stopped while it still starts. */
  abort: AbortSignal;
};

/**
 * Runs a command that brings things up and stays until Ctrl-C, SIGTERM, SIGHUP, or the end of the npm that started it. Being stopped is no
 * failure, also while it starts: exit code 0, after everything was undone. A second signal leaves at once, with 1. A start that fails undoes what
 * there is and exits with 1; what the person can mend (configuration, servers, migrations) is told without a stack.
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
        report(
          `${what} could not be stopped cleanly: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  };
  const stop = (why: string): void => {
    if (stoppedAtMs !== undefined) {
      if (performance.now() - stoppedAtMs < SAME_SIGNAL_MS) return;
      report(`${why} again: leaving at once; what it started ends by itself`);
      process.exit(1);
    }
    stoppedAtMs = performance.now();
    report(`stopping (${why})`);
    abort.abort(new Error("stopped"));
    void starting.then(stopAll).then(() => {
      report("stopped");
      process.exit(0);
    });
  };

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => stop(signal));
  // A closed terminal takes the output with it; what is left to do is still done.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  watchAncestors(stop);

  // Last, since its beginning may block for seconds: the handlers above must be there by then.
  const starting = start({
    onStop: (what, run) => onStop.push({ what, run }),
    abort: abort.signal,
  }).catch(async (error: unknown) => {
    if (abort.signal.aborted) return;
    const expected =
      error instanceof ConfigError ||
      error instanceof ServerProblem ||
      error instanceof MigrationError;
    console.error(expected ? error.message : error);
    await stopAll();
    process.exit(1);
  });
}
