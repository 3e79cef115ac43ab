let nowMs: number | undefined;

/**
 * Monotonic milliseconds, read once in a turn of the event loop: for figures by the thousand, where a clock for each would cost more than the
 * figure. Behind by what the turn has taken so far.
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
