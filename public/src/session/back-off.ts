import type { Problem } from "../api/problem.ts";

const FIRST_MS = 400;
const LONGEST_MS = 8_000;

/**
 * Exponential back-off with jitter, at least the server's Retry-After. `random` in [0, 1)
 * spreads the clients that were rejected together.
 */
export function backOffMs(
  failures: number,
  { retryAfterMs = 0 }: Pick<Problem, "retryAfterMs">,
  random: number,
  longestMs = LONGEST_MS,
): number {
  const jittered = Math.min(longestMs, FIRST_MS * 2 ** failures) * (0.5 + random / 2);
  return Math.max(jittered, retryAfterMs);
}
