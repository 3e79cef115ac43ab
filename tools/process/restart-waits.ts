/** A process that ran for this long begins with the shortest wait again. */
const STEADY_MS = 30_000;
const WAITS_MS = [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/** The waits before one process is started again: none, then growing ones. */
type RestartWaits = {
  /** Returns the next wait in ms, after a run of `ranMs`. 0: it did not start. */
  next(ranMs: number): number;
};

export function restartWaits(): RestartWaits {
  let ends = 0;
  return {
    next(ranMs) {
      if (ranMs > STEADY_MS) ends = 0;
      const waitMs = WAITS_MS[Math.min(ends, WAITS_MS.length - 1)] ?? 0;
      ends += 1;
      return waitMs;
    },
  };
}

/** "now" or "in 4 s". */
export function whenText(waitMs: number): string {
  return waitMs === 0 ? "now" : `in ${waitMs / 1_000} s`;
}
