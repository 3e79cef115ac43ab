import type { Clock } from "../../../lib/concurrency/clock.ts";

const FIRST_S = 15;
const MOST_S = 1_800;

/**
 * Seconds until a mail is tried again: doubled each time, up to half an hour, spread by a fifth so
 * that mails that failed together do not meet again.
 */
export function retryDelayS(attempts: number, random: () => number = Math.random): number {
  const delayS = Math.min(FIRST_S * 2 ** (attempts - 1), MOST_S);
  return delayS * (0.9 + 0.2 * random());
}

const PAUSE_FIRST_MS = 1_000;
const PAUSE_MOST_MS = 60_000;

/** A circuit breaker of the SMTP server. */
export type Breaker = {
  /** Whether nothing is sent now. */
  isOpen(): boolean;
  /** Whether the last try failed, so that the next is a probe: one mail. */
  isProbing(): boolean;
  failed(): void;
  succeeded(): void;
};

/** Pauses after each failure of the server, twice as long each time, a minute at most. */
export function createBreaker(clock: Clock): Breaker {
  let failures = 0;
  let openUntilMs = -Infinity;
  return {
    isOpen: () => clock.nowMs() < openUntilMs,
    isProbing: () => failures > 0,
    failed() {
      // Mails that were in flight together fail together: the server is down once.
      if (clock.nowMs() < openUntilMs) return;
      openUntilMs = clock.nowMs() + Math.min(PAUSE_FIRST_MS * 2 ** failures, PAUSE_MOST_MS);
      failures += 1;
    },
    succeeded() {
      failures = 0;
      openUntilMs = -Infinity;
    },
  };
}
