import type { Clock } from "../../../lib/concurrency/clock.ts";

/** This many answers are written in less time than a batch takes to load. They are not deferred. */
export const EAGER_REPLIES_MAX = 50;
/** Limits the wait for a batch that is slow to load or sells nothing. */
const WAIT_MAX_MS = 25;

/**
 * Defers answers under load: all but a few of a committed batch are written after the next batch
 * has been sent. PostgreSQL works on that batch while this thread writes hundreds of answers and
 * reads new requests. Otherwise the next load would lie unread for as long as that takes.
 */
export class NextBatch {
  private goOn: () => void = () => undefined;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /**
   * Returns what this many answers wait for: undefined for few, else a promise that resolves at
   * `sent`, after WAIT_MAX_MS at the latest.
   */
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
