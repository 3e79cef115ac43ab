/**
 * Starts the work now, in a later turn of the event loop, or never: `shed` is called in place of
 * work that waited too long.
 */
export type Admit = (work: () => void, shed?: () => void) => void;
export type AdmissionQueue = {
  admit: Admit;
  /** As much work started in this turn as may start. */
  isFull(): boolean;
};

type Limits = {
  /** Work that starts in a turn. */
  perTurn: number;
  /** Returns the limit of the turns after a full one that took so long. Default: the same. */
  adapt?: (perTurn: number, turnMs: number) => number;
  /** Work that has waited so long is shed. Default: none. */
  waitMaxMs?: number;
};
type Waiting = { work: () => void; shed: (() => void) | undefined; sinceMs: number };

/**
 * Limits work per turn of the event loop; the rest follows in order of arrival. Without the limit,
 * a crowd of searches keeps libuv at its sockets for seconds: no timer fires, no lease is renewed,
 * and purchases wait. See docs/decisions/0018-admission-queue-for-searches.md.
 */
export function createAdmissionQueue(
  { perTurn, adapt = (limit) => limit, waitMaxMs = Infinity }: Limits,
  nowMs = (): number => performance.now(),
): AdmissionQueue {
  let waiting: Waiting[] = [];
  let limit = perTurn;
  let started = 0;
  let turnAtMs = 0;

  const nextTurn = (): void => {
    const now = nowMs();
    if (started >= limit) limit = adapt(limit, now - turnAtMs);
    turnAtMs = now;
    const inTime = waiting.findIndex(({ sinceMs }) => now - sinceMs < waitMaxMs);
    const late = waiting.splice(0, inTime === -1 ? waiting.length : inTime);
    const admitted = waiting.slice(0, limit);
    waiting = waiting.slice(limit);
    started = admitted.length;
    if (started > 0) setImmediate(nextTurn);
    for (const { shed } of late) shed?.();
    for (const { work } of admitted) work();
  };
  const admit: Admit = (work, shed) => {
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
  return { admit, isFull: () => started >= limit };
}
