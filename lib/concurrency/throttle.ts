import type { Clock } from "./clock.ts";

export type Pace = {
  /** Sends now if the last time is long enough ago, else as soon as it is. `urgent` takes the next turn in advance, and the one after waits for longer. */
  schedule(urgent?: boolean): void;
  stop(): void;
};

/** Lets `send` run at most once in `everyMs`, however often it is called for: what it sends is to be the newest at that moment. */
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
