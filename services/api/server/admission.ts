import { type Admit, createAdmissionQueue } from "./admission-queue.ts";

/** A turn in which work starts should not take longer. */
const TURN_MS = 40;
/** With the purchase itself, a buyer is answered within a second. */
const WAIT_MAX_MS = 700;
/** Work of each kind that may start in a turn: at least, and one more step after a short turn. */
const [LEAST, STEP] = [16, 10];
const PURCHASES = { first: 200, most: 1_000 };
/** Turns are shorter with fewer: ADR-0018. */
const SEARCHES = { first: 200, most: 200 };

export type Admission = { purchase: Admit; search: Admit };

/**
 * Limits the purchases and the searches that start in a turn of the event loop, so that turns stay
 * short. On a slow machine a crowd would otherwise start at once, and each purchase would wait
 * through several long turns, until its worker gives it up. The limits follow the duration of
 * turns: AIMD, as TCP finds its window (RFC 5681). Purchases come first: while searches wait, a
 * long turn takes from them only. See ADR-0079.
 */
export function createAdmission(nowMs?: () => number): Admission {
  const next = (limit: number, turnMs: number, most: number): number =>
    turnMs > TURN_MS ? Math.max(LEAST, Math.floor(0.8 * limit)) : Math.min(most, limit + STEP);
  const search = createAdmissionQueue(
    { perTurn: SEARCHES.first, adapt: (limit, turnMs) => next(limit, turnMs, SEARCHES.most) },
    nowMs,
  );
  const purchase = createAdmissionQueue(
    {
      perTurn: PURCHASES.first,
      adapt: (limit, turnMs) =>
        turnMs > TURN_MS && search.isFull() && search.limit() > LEAST
          ? limit
          : next(limit, turnMs, PURCHASES.most),
      waitMaxMs: WAIT_MAX_MS,
    },
    nowMs,
  );
  return { purchase: purchase.admit, search: search.admit };
}
