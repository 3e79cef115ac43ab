import { type AdmissionQueue, createAdmissionQueue } from "./admission-queue.ts";

/** A turn in which purchases start should not take longer. */
const TURN_MS = 40;
/** With the purchase itself, a buyer is answered within a second. */
const WAIT_MAX_MS = 700;
const [LEAST, FIRST, MOST] = [16, 200, 1_000];

/**
 * Limits the purchases that start in a turn of the event loop, so that turns stay short. On a slow
 * machine a crowd would otherwise start at once, and each purchase would wait through several long
 * turns, until its worker gives it up. The limit follows the duration of turns: AIMD, as TCP finds
 * its window (RFC 5681). See ADR-0079.
 */
export function createPurchaseQueue(nowMs?: () => number): AdmissionQueue {
  return createAdmissionQueue({ perTurn: FIRST, adapt: nextLimit, waitMaxMs: WAIT_MAX_MS }, nowMs);
}

function nextLimit(limit: number, turnMs: number): number {
  return turnMs > TURN_MS ? Math.max(LEAST, Math.floor(0.8 * limit)) : Math.min(MOST, limit + 10);
}
