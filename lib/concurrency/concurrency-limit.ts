import { type Answer, refused } from "../../domain/refusal.ts";

export type InTurnOptions = {
  running: number;
  waiting: number;
  /** What has waited longer than this is not begun: whoever asked has been told already. For ever unless said. */
  waitMs?: number;
};

/** Runs the work given to it at once or in order of arrival, so much of it side by side. Can refuse with: TRY_AGAIN (too many are waiting, or for too long). */
export type InTurn = <T>(work: () => Promise<Answer<T>>) => Promise<Answer<T>>;

/** Keeps a flood in a line of its own instead of in a server's, where everybody else waits too. */
export function createConcurrencyLimit({
  running: runningMax,
  waiting: waitingMax,
  waitMs = Infinity,
}: InTurnOptions): InTurn {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= runningMax) {
      if (waiting.length >= waitingMax) return refused("TRY_AGAIN");
      const sinceMs = performance.now();
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (performance.now() - sinceMs > waitMs) {
        pass();
        return refused("TRY_AGAIN");
      }
    } else running += 1;
    try {
      return await work();
    } finally {
      pass();
    }
  };

  /** The next in line takes this place over, so nobody who comes later overtakes it. */
  function pass(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
