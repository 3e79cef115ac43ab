import type { Clock } from "../../../lib/concurrency/clock.ts";

/** So many answers are written in less time than a batch takes to load: the first ones wait for nothing. */
export const EAGER_REPLIES_MAX = 50;
/** Nobody waits longer than this for a batch that is slow to load, or that sells nothing. */
const WAIT_MAX_MS = 25;

/**
 * Where more waits, all but a few of the answers to what was just committed come after the next batch has been sent: PostgreSQL works on that one while
 * this thread writes hundreds of answers and reads the questions that follow them. Answered first, the next batch's load would lie unread for as long as
 * that takes; the few are written while it is under way.
 */
export class NextBatch {
  private goOn: () => void = () => undefined;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What so many answers wait for: undefined where that is nothing, else what resolves at `sent`, at the latest after WAIT_MAX_MS. */
  turnOf(answers: number): Promise<void> | undefined {
    if (answers < EAGER_REPLIES_MAX) return undefined;
    return new Promise((resolve) => {
      const timer = this.clock.after(WAIT_MAX_MS, resolve);
      this.goOn = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  sent(): void {
    this.goOn();
  }
}
