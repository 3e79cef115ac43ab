import { watchAncestors } from "./watch-parent.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";

/**
 * Runs a command that works for minutes and ends by itself with an exit code. Ctrl-C, SIGTERM, SIGHUP and the end of the npm that started it abort
 * `abort`, after which the command tidies up and leaves with 130. What the person can mend is told without a stack.
 */
export function runToEnd(
  main: (words: readonly string[]) => Promise<number>,
  abort: AbortController,
): void {
  const stop = (why: string): void => {
    if (!abort.signal.aborted) abort.abort(new Error(`stopped (${why})`));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => stop(signal));
  watchAncestors(stop);

  main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(
        error instanceof ServerProblem || abort.signal.aborted ? (error as Error).message : error,
      );
      process.exit(abort.signal.aborted ? 130 : 1);
    },
  );
}
