import type { Command } from "../../../domain/event-state.ts";
import { refused } from "../../../domain/refusal.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import type { Outcome, PurchaseMetrics } from "./ports.ts";

/**
 * An owner answers TRY_AGAIN to a command that waited this long undecided. So its silence means:
 * dead, frozen, or a commit of unknown outcome.
 */
export const UNDECIDED_MAX_MS = 500;
/**
 * The same limit while this node was too busy to read PostgreSQL's answer, or while the event moves
 * here. Still below the 1 s after which a caller tries another node.
 */
const UNDECIDED_WHILE_BUSY_MAX_MS = 900;
/** A commit without a known outcome is settled within this, or answered OUTCOME_UNKNOWN. */
export const UNKNOWN_OUTCOME_MAX_MS = 2_000;
const SWEEP_MS = 50;

/**
 * A command and its waiting caller. Until `sentAtMs` is set nothing was done, and TRY_AGAIN is
 * true. Afterwards a commit or another node may have sold it, or it was sold before: only its real
 * outcome or OUTCOME_UNKNOWN is true.
 */
export type Entry = {
  readonly command: Command;
  /**
   * Another node forwarded it, or its caller bypassed the owner. It is served here and never
   * forwarded again.
   */
  readonly forwarded: boolean;
  /** The owner that did not answer its caller; undefined for what the owner itself passed on. */
  readonly insteadOf: string | undefined;
  readonly arrivedMs: number;
  /** How long the mailbox had been held up by its own node when the command arrived. */
  readonly stalledBeforeMs: number;
  sentAtMs: number | undefined;
  /**
   * An earlier commit of it had an unknown outcome. A replay that is found later is this very sale.
   */
  outcomeUnknown: boolean;
  answered: boolean;
  readonly answer: (outcome: Outcome) => void;
};

/**
 * A bounded queue for one event's worker. Limits how long a caller waits, whatever blocks the
 * worker.
 */
export class Mailbox {
  private waiting: Entry[] = [];
  private readonly open = new Set<Entry>();
  private sweeping = false;
  /**
   * Total time in which the node could read no answers (timers were late) or decide nothing (see
   * `pauseDeadlines`).
   */
  private stalledMs = 0;
  private heldUpSinceMs: number | undefined;
  private readonly clock: Clock;
  private readonly max: number;
  private readonly watch: PurchaseMetrics | undefined;

  constructor(clock: Clock, max: number, watch?: PurchaseMetrics) {
    this.clock = clock;
    this.max = max;
    this.watch = watch;
  }

  get length(): number {
    return this.waiting.length;
  }
  /** Whether a command waits here that the owner's own worker forwarded. */
  get hasForwarded(): boolean {
    return this.waiting.some(
      ({ forwarded, insteadOf, answered }) => forwarded && insteadOf === undefined && !answered,
    );
  }
  /** The owner in whose place something that waits was sent here. */
  get unresponsiveOwner(): string | undefined {
    return this.waiting.find(({ insteadOf, answered }) => insteadOf !== undefined && !answered)
      ?.insteadOf;
  }
  /** True if no caller waits, not even for a batch in flight. */
  get quiet(): boolean {
    return this.open.size === 0;
  }

  /** Resolves with the answer; at once with TRY_AGAIN when the mailbox is full. */
  put(command: Command, forwarded: boolean, insteadOf?: string): Promise<Outcome> {
    if (this.waiting.length >= this.max) {
      this.watch?.turnedAway();
      return Promise.resolve(refused("TRY_AGAIN"));
    }
    return new Promise((resolve) => {
      const entry: Entry = {
        command,
        forwarded: forwarded || insteadOf !== undefined,
        insteadOf,
        arrivedMs: this.clock.nowMs(),
        stalledBeforeMs: this.stalledByNowMs,
        sentAtMs: undefined,
        outcomeUnknown: false,
        answered: false,
        answer: (outcome) => {
          if (entry.answered) return;
          entry.answered = true;
          this.open.delete(entry);
          this.watch?.answered(command.type, outcome, entry.arrivedMs);
          resolve(outcome);
        },
      };
      this.open.add(entry);
      this.waiting.push(entry);
      this.sweepLater();
    });
  }

  /** Ends `waitForCommand`. Replaced by each wait. */
  wake: () => void = () => undefined;

  /** Resolves with true when `wake` is called, with whether a command waits after `idleMs`. */
  waitForCommand(idleMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.clock.after(idleMs, () => resolve(this.length > 0));
      this.wake = () => {
        timer.cancel();
        resolve(true);
      };
    });
  }

  /**
   * Pauses the deadlines until the returned function is called: nothing can be decided while the
   * event moves here.
   */
  pauseDeadlines(): () => void {
    this.heldUpSinceMs ??= this.clock.nowMs();
    return () => {
      this.stalledMs = this.stalledByNowMs;
      this.heldUpSinceMs = undefined;
    };
  }

  /** Takes the oldest `most` that still wait for an answer. */
  take(most: number, wanted: (entry: Entry) => boolean = () => true): Entry[] {
    const taken: Entry[] = [];
    const left: Entry[] = [];
    for (const entry of this.waiting) {
      if (entry.answered) continue;
      if (taken.length < most && wanted(entry)) taken.push(entry);
      else left.push(entry);
    }
    this.waiting = left;
    return taken;
  }

  /** Puts a batch that was not committed back in front. */
  putBack(entries: Entry[]): void {
    this.waiting = [...entries.filter((entry) => !entry.answered), ...this.waiting];
  }

  private get stalledByNowMs(): number {
    return (
      this.stalledMs +
      (this.heldUpSinceMs === undefined ? 0 : this.clock.nowMs() - this.heldUpSinceMs)
    );
  }

  private sweepLater(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    const dueMs = this.clock.nowMs() + SWEEP_MS;
    this.clock.after(SWEEP_MS, () => {
      this.sweeping = false;
      this.stalledMs += Math.max(0, this.clock.nowMs() - dueMs);
      this.sweep();
      if (this.open.size > 0) this.sweepLater();
    });
  }

  private sweep(): void {
    const now = this.clock.nowMs();
    for (const entry of this.open) {
      if (
        entry.sentAtMs === undefined
          ? this.waitedTooLong(entry, now)
          : now - entry.sentAtMs >= UNKNOWN_OUTCOME_MAX_MS
      )
        answerTimedOut(entry);
    }
    if (this.waiting.some((entry) => entry.answered))
      this.waiting = this.waiting.filter((entry) => !entry.answered);
  }

  private waitedTooLong({ arrivedMs, stalledBeforeMs }: Entry, nowMs: number): boolean {
    const waitedMs = nowMs - arrivedMs;
    return (
      waitedMs - (this.stalledByNowMs - stalledBeforeMs) >= UNDECIDED_MAX_MS ||
      waitedMs >= UNDECIDED_WHILE_BUSY_MAX_MS
    );
  }
}

/** The honest answer where no better one can be had. */
export function answerTimedOut(entry: Entry): void {
  entry.answer(refused(entry.sentAtMs === undefined ? "TRY_AGAIN" : "OUTCOME_UNKNOWN"));
}

/** A commit that held these is known to have sold nothing. */
export function markNotExecuted(entries: readonly Entry[]): void {
  for (const entry of entries) if (!entry.outcomeUnknown) entry.sentAtMs = undefined;
}
