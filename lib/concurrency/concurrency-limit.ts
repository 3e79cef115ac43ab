import { type Answer, refused } from "../../domain/refusal.ts";

export type InTurnOptions = {
  running: number;
  waiting: number;
  /** Longest wait in ms: the caller has timed out by then. No limit if undefined. */
  waitMs?: number;
};

/**
 * Runs work up to a concurrency limit, in order of arrival. Can refuse with: TRY_AGAIN (too many
 * waiting, or waited too long).
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

  /** Hands the slot to the next waiting work, so that later work cannot overtake it. */
  function pass(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
