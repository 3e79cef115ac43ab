import { setTimeout as wait } from "node:timers/promises";

/**
 * Polls every few milliseconds until a fact holds, and returns it. Rejects after `withinMs` with
 * the last value or the last error.
 */
export async function waitFor<T>(
  fact: () => T | Promise<T>,
  options: { withinMs: number; what?: string } = { withinMs: 5_000 },
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
