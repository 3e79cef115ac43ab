import { type Admit, createAdmissionQueue } from "./admission-queue.ts";

/** A turn in which work starts should not take longer. */
const TURN_MS = 40;
/** With the purchase itself, a buyer is answered within a second. */
const WAIT_MAX_MS = 700;
/** One more step after a short turn. */
const STEP = 10;
type Bounds = { least: number; first: number; most: number };
const PURCHASES: Bounds = { least: 16, first: 200, most: 1_000 };
/** With less than a hundred a turn, the turns' own cost would count: ADR-0018. */
const SEARCHES: Bounds = { least: 100, first: 200, most: 200 };

export type Admission = { purchase: Admit; search: Admit };

/**
 * Limits the purchases and the searches that start in a turn of the event loop, so that turns stay
 * short. On a slow machine a crowd would otherwise start at once, and each purchase would wait
 * through several long turns, until its worker gives it up. The limits follow the duration of
 * turns: AIMD, as TCP finds its window (RFC 5681). Purchases come first: while searches wait, a
 * long turn takes from them only. See ADR-0079.
 */
export function createAdmission(nowMs?: () => number): Admission {
  const search = createAdmissionQueue({ perTurn: SEARCHES.first, adapt: within(SEARCHES) }, nowMs);
  const adapt = within(PURCHASES);
  const purchase = createAdmissionQueue(
    {
      perTurn: PURCHASES.first,
      adapt: (limit, turnMs) =>
        turnMs > TURN_MS && search.isFull() ? limit : adapt(limit, turnMs),
      waitMaxMs: WAIT_MAX_MS,
    },
    nowMs,
  );
  return { purchase: purchase.admit, search: search.admit };
}

function within({ least, most }: Bounds): (limit: number, turnMs: number) => number {
  return (limit, turnMs) =>
    turnMs > TURN_MS ? Math.max(least, Math.floor(0.8 * limit)) : Math.min(most, limit + STEP);
}
