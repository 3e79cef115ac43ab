let nowMs: number | undefined;

/**
 * Returns monotonic milliseconds, read once per turn of the event loop. Cheap enough for every
 * metric; it lags by the time that the turn has taken.
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
