import type { Clock } from "./clock.ts";

export type Pace = {
  /**
   * Sends now or as soon as the interval has passed. `urgent` sends at once and makes the next wait
   * longer.
   */
  schedule(urgent?: boolean): void;
  stop(): void;
};

/** Runs `send` at most once in `everyMs`. It should send the newest state of that moment. */
export function createThrottle(everyMs: number, clock: Clock, send: () => void): Pace {
  let nextMs = -Infinity;
  let borrowed = false;
  let timer: { cancel(): void } | undefined;
  const rest = (): void => {
    timer?.cancel();
    timer = undefined;
  };
  const go = (): void => {
    rest();
    nextMs = clock.nowMs() + everyMs;
    borrowed = false;
    send();
  };
  return {
    schedule(urgent = false) {
      const nowMs = clock.nowMs();
      if (nowMs >= nextMs) go();
      else if (urgent && !borrowed) {
        rest();
        borrowed = true;
        nextMs += everyMs;
        send();
      } else timer ??= clock.after(nextMs - nowMs, go);
    },
    stop: rest,
  };
}
