/**
 * Starts the purchase now, in a later turn of the event loop, or never. `shed` is called in place
 * of `work` for one that waited too long.
 */
export type PurchaseQueue = (work: () => void, shed: () => void) => void;

type Waiting = { work: () => void; shed: () => void; sinceMs: number };

/** A turn in which purchases start should not take longer. */
const TURN_MS = 40;
/** With the purchase itself, a buyer is answered within a second. */
const WAIT_MAX_MS = 700;
const [LEAST, FIRST, MOST] = [16, 200, 1_000];

/**
 * Limits the purchases that start in a turn of the event loop, so that turns stay short; the rest
 * follows in order of arrival. On a slow machine a crowd would otherwise start at once, and each
 * purchase would wait through several long turns, until its worker gives it up. The limit follows
 * the duration of turns: AIMD, as TCP finds its window (RFC 5681). See ADR-0079.
 */
export function createPurchaseQueue(nowMs = (): number => performance.now()): PurchaseQueue {
  let waiting: Waiting[] = [];
  let limit = FIRST;
  let started = 0;
  let turnAtMs = 0;

  const nextTurn = (): void => {
    const now = nowMs();
    if (started >= limit) limit = nextLimit(limit, now - turnAtMs);
    turnAtMs = now;
    const late = waiting.findIndex(({ sinceMs }) => now - sinceMs < WAIT_MAX_MS);
    const shed = waiting.splice(0, late === -1 ? waiting.length : late);
    const admitted = waiting.slice(0, limit);
    waiting = waiting.slice(limit);
    started = admitted.length;
    if (started > 0) setImmediate(nextTurn);
    for (const one of shed) one.shed();
    for (const one of admitted) one.work();
  };
  return (work, shed) => {
    if (started >= limit) {
      waiting.push({ work, shed, sinceMs: nowMs() });
      return;
    }
    if (started === 0) {
      turnAtMs = nowMs();
      setImmediate(nextTurn);
    }
    started += 1;
    work();
  };
}

function nextLimit(limit: number, turnMs: number): number {
  return turnMs > TURN_MS ? Math.max(LEAST, Math.floor(0.8 * limit)) : Math.min(MOST, limit + 10);
}
