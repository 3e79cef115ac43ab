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

/** A commit that takes longer makes the next batch smaller. */
const SLOW_MS = 200;
/** A full batch that takes less makes the next batch larger. */
const FAST_MS = 100;
const ROWS_AT_FIRST = 250;
const ROWS_MAX = 1_000;
/** One purchase at the limit per purchase. */
const ROWS_MIN = 10;

/**
 * Bounds a batch by the rows that it writes (tickets sold and cancelled), so that its commit stays
 * far below the statement time-out, however slow PostgreSQL is: slower than 200 ms shrinks the next
 * batch in proportion, a time-out quarters it, fast commits of full batches let it grow by half.
 */
export class BatchSize {
  private rowsMax = ROWS_AT_FIRST;

  /** Rows that the next batch may write. */
  get rows(): number {
    return this.rowsMax;
  }
  /** Whether PostgreSQL is slow for this event. Its commits must not delay other events. */
  get slow(): boolean {
    return this.rowsMax < ROWS_AT_FIRST;
  }

  /** A commit of this many rows took this long. */
  committed(rows: number, tookMs: number): void {
    if (tookMs > SLOW_MS) this.limit((rows * SLOW_MS) / tookMs);
    else if (tookMs < FAST_MS && rows * 2 > this.rowsMax) this.limit(this.rowsMax * 1.5);
  }

  /** PostgreSQL gave up a commit, or did not answer in time. */
  timedOut(): void {
    this.limit(this.rowsMax / 4);
  }

  private limit(rows: number): void {
    this.rowsMax = Math.min(ROWS_MAX, Math.max(ROWS_MIN, Math.floor(rows)));
  }
}
