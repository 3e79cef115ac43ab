import { setTimeout as wait } from "node:timers/promises";

/**
 * Polls every few milliseconds until a fact holds, and returns it. Rejects after `withinMs` with
 * the last value or the last error. The default is generous, because test machines are busy.
 */
export async function waitFor<T>(
  fact: () => T | Promise<T>,
  options: { withinMs: number; what?: string } = { withinMs: 30_000 },
): Promise<Exclude<T, false | undefined | null | 0 | "">> {
  const endMs = performance.now() + options.withinMs;
  for (;;) {
    let seen: unknown;
    try {
      const value = await fact();
      if (value) return value as Exclude<T, false | undefined | null | 0 | "">;
      seen = value;
    } catch (error) {
      seen = error;
    }
    if (performance.now() >= endMs)
      throw new Error(
        `${options.what ?? "The fact"} did not come true within ${options.withinMs} ms; ` +
          `last seen: ${String(seen)}`,
        {
          cause: seen,
        },
      );
    await wait(10);
  }
}

/**
 * Measures work up to three times, in ms, until it takes less than `limitMs`, and returns the last
 * measure. A busy machine delays some of them; an engine that is too slow delays all.
 */
export async function quickestOfThree(
  limitMs: number,
  work: () => Promise<unknown>,
): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const startedMs = performance.now();
    await work();
    const tookMs = performance.now() - startedMs;
    if (tookMs < limitMs || tries === 3) return tookMs;
  }
}
