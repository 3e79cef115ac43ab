/** Some five milliseconds' worth of searches whose bytes are at hand: a purchase waits for a turn at each of its steps. */
const PER_TURN = 200;

/** Does the work now, or when it is its turn. */
export type AdmissionQueue = (work: () => void) => void;

/**
 * So much work a turn of the event loop, the rest in order of arrival in the turns that follow. Without it a crowd that asks again as soon as it is answered
 * keeps libuv at its sockets for seconds (it polls 48 times 1,024 of them before it looks at anything else), in which no timer fires, no lease is renewed, and
 * a purchase waits at each of its steps: the answer of PostgreSQL is one socket among ten thousand.
 */
export function createAdmissionQueue(perTurn = PER_TURN): AdmissionQueue {
  const waiting: (() => void)[] = [];
  let done = 0;
  const nextTurn = (): void => {
    const now = waiting.splice(0, perTurn);
    done = now.length;
    if (done > 0) setImmediate(nextTurn);
    for (const work of now) work();
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
