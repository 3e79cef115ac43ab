/** About five milliseconds of cached searches: a purchase waits for a turn at each of its steps. */
const PER_TURN = 200;

/** Runs the work now or in a later turn of the event loop. */
export type AdmissionQueue = (work: () => void) => void;

/**
 * Limits work per turn of the event loop; the rest follows in order of arrival. Without the limit,
 * a crowd of searches keeps libuv at its sockets for seconds: no timer fires, no lease is renewed,
 * and purchases wait. See docs/decisions/0018-admission-queue-for-searches.md.
 */
export function createAdmissionQueue(perTurn = PER_TURN): AdmissionQueue {
  const waiting: (() => void)[] = [];
  let done = 0;
  const nextTurn = (): void => {
    const admitted = waiting.splice(0, perTurn);
    done = admitted.length;
    if (done > 0) setImmediate(nextTurn);
    for (const work of admitted) work();
  };
  return (work) => {
    if (done >= perTurn) {
      waiting.push(work);
      return;
    }
    if (done === 0) setImmediate(nextTurn);
    done += 1;
    work();
  };
}
