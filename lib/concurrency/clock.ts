import { guarded } from "../observability/faults.ts";

/** Monotonic milliseconds and timers. The simulation replaces it. */
export type Clock = {
  nowMs(): number;
  after(delayMs: number, task: () => void): { cancel(): void };
};

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(() => guarded("timer", task), delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Waits. Rejects with the signal's reason if it is aborted first. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

let nowMs: number | undefined;

/**
 * Monotonic milliseconds, read once per turn of the event loop. For frequent figures, where reading
 * the clock costs more than the figure. Lags by the duration of the present turn.
 */
export function loopNowMs(): number {
  if (nowMs === undefined) {
    nowMs = performance.now();
    setImmediate(forget);
  }
  return nowMs;
}

function forget(): void {
  nowMs = undefined;
}

/**
 * Resolves with the promise, or with undefined after `ms`. Rejects as the promise does. An answer
 * that is already in the socket of a busy process is read before it counts as late.
 */
export async function withTimeout<T>(promise: PromiseLike<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // The event loop runs timers, then sockets, then immediates. Wait for two immediates: an answer
    // may need one more turn.
    timer = setTimeout(() => setImmediate(() => setImmediate(resolve, undefined)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
