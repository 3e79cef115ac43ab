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
