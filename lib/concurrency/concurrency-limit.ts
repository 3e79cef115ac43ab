import { type Answer, refused } from "../../domain/refusal.ts";

export type InTurnOptions = {
  running: number;
  waiting: number;
  /** An item that waited longer is refused, because its caller has given up. Default: no limit. */
  waitMs?: number;
};

/**
 * Limits concurrency: runs work at once or in order of arrival. Can refuse with: TRY_AGAIN (too
 * many are waiting, or waited too long).
 */
export type InTurn = <T>(work: () => Promise<Answer<T>>) => Promise<Answer<T>>;

/** Limits concurrency, so that a burst does not exhaust the shared connection pool. */
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

  /** Hands the slot to the next in the queue, so that a later caller cannot overtake it. */
  function pass(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
