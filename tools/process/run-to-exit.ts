import { expectedMessage } from "./expected-problem.ts";
import { watchAncestors } from "./watch-parent.ts";

/** Exit code of a command that a signal stopped, as shells have it for Ctrl-C. */
export const STOPPED = 130;

/**
 * Runs a command that works for minutes and ends by itself with an exit code. Ctrl-C, SIGTERM,
 * SIGHUP and the end of the launching npm abort the signal; the command then tidies up.
 */
export async function runToExit(
  run: (abort: AbortSignal) => Promise<number>,
  onStop: (reason: string) => void = () => undefined,
): Promise<number> {
  const abort = new AbortController();
  const stop = (reason: string): void => {
    if (abort.signal.aborted) return;
    onStop(reason);
    abort.abort(new Error(`stopped (${reason})`));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => stop(signal));
  // A closed terminal takes the output with it; the servers must be stopped all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  watchAncestors(stop);
  try {
    const code = await run(abort.signal);
    return abort.signal.aborted ? STOPPED : code;
  } catch (error) {
    if (abort.signal.aborted) return STOPPED;
    console.error(expectedMessage(error) ?? error);
    return 1;
  }
}
