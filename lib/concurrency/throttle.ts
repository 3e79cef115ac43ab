import type { Clock } from "./clock.ts";

export type Pace = {
  /**
   * Sends now if `everyMs` have passed since the last time, else as soon as they have. `urgent`
   * sends now and lengthens the next wait.
   */
  schedule(urgent?: boolean): void;
  stop(): void;
};

/**
 * Limits the rate of `send` to one call per `everyMs`. `send` reads the newest state when it runs.
 */
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
