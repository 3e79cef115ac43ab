import type { Command } from "../../../domain/event-state.ts";
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
/**
 * A commit without a known outcome is settled within this, or answered OUTCOME_UNKNOWN. Clearly
 * above the worker's statement time-out: what PostgreSQL reports as failed is never unknown.
 */
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
  /** Its last commit had an unknown outcome. A replay that is found later is this very sale. */
  inDoubt: boolean;
  /** PostgreSQL reported that its last commit failed: its key was not sold. */
  notSold: boolean;
  /** In a batch of this worker. */
  taken: boolean;
  /** Another node will answer it. */
  forwardedAway: boolean;
  /** No batch may decide it any more: it is answered, or about to be. */
  givenUp: boolean;
  readonly answer: (outcome: Outcome) => void;
  readonly outcome: Promise<Outcome>;
};

/**
 * A bounded queue for one event's worker. A duplicate of an open command joins it and gets its
 * answer. Limits how long a caller waits, whatever blocks the worker.
 */
export class Mailbox {
  private waiting: Entry[] = [];
  /** Commands without an answer, by transaction id. */
  private readonly open = new Map<string, Entry[]>();
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
  private readonly giveUp: (entries: readonly Entry[]) => void;

  /** `giveUp` answers commands for which there is no room, or which waited too long. */
  constructor(
    clock: Clock,
    max: number,
    giveUp: (entries: readonly Entry[]) => void,
    watch?: PurchaseMetrics,
  ) {
    this.clock = clock;
    this.max = max;
    this.giveUp = giveUp;
    this.watch = watch;
  }

  get length(): number {
    return this.waiting.length;
  }
  /** Whether a command waits here that the owner's own worker forwarded. */
  get hasForwarded(): boolean {
    return this.waiting.some(
      ({ forwarded, insteadOf, givenUp }) => forwarded && insteadOf === undefined && !givenUp,
    );
  }
  /** The owner in whose place something that waits was sent here. */
  get unresponsiveOwner(): string | undefined {
    return this.waiting.find(({ insteadOf, givenUp }) => insteadOf !== undefined && !givenUp)
      ?.insteadOf;
  }
  /** True if no caller waits, not even for a batch in flight. */
  get quiet(): boolean {
    return this.open.size === 0;
  }

  /** Resolves with the answer. A full mailbox gives the command up. */
  put(command: Command, forwarded: boolean, insteadOf?: string): Promise<Outcome> {
    const arrivedMs = this.clock.nowMs();
    const marks = { forwarded: forwarded || insteadOf !== undefined, insteadOf };
    const twin = this.open.get(command.transactionId)?.find((one) => joins(one, command, marks));
    if (twin !== undefined)
      return twin.outcome.then((outcome) => {
        const replayed = replayOf(outcome);
        this.watch?.answered(command.type, replayed, arrivedMs);
        return replayed;
      });
    const entry = this.entryOf(command, marks, arrivedMs);
    const twins = this.open.get(command.transactionId);
    if (twins === undefined) this.open.set(command.transactionId, [entry]);
    else twins.push(entry);
    if (this.waiting.length < this.max) this.waiting.push(entry);
    else {
      this.watch?.turnedAway();
      this.giveUp([entry]);
    }
    this.sweepLater();
    return entry.outcome;
  }

  private entryOf(
    command: Command,
    marks: Pick<Entry, "forwarded" | "insteadOf">,
    arrivedMs: number,
  ): Entry {
    let resolve: (outcome: Outcome) => void = () => undefined;
    let answered = false;
    const entry: Entry = {
      command,
      ...marks,
      arrivedMs,
      stalledBeforeMs: this.stalledByNowMs,
      sentAtMs: undefined,
      inDoubt: false,
      notSold: false,
      taken: false,
      forwardedAway: false,
      givenUp: false,
      outcome: new Promise((settle) => (resolve = settle)),
      answer: (outcome) => {
        if (answered) return;
        answered = true;
        entry.givenUp = true;
        this.close(entry);
        this.watch?.answered(command.type, outcome, arrivedMs);
        resolve(outcome);
      },
    };
    return entry;
  }

  private close(entry: Entry): void {
    const { transactionId } = entry.command;
    const twins = this.open.get(transactionId)?.filter((one) => one !== entry) ?? [];
    if (twins.length === 0) this.open.delete(transactionId);
    else this.open.set(transactionId, twins);
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

  /** Takes the oldest commands that write at most `rowsMax` rows together, at least one. */
  takeBatch(most: number, rowsMax: number): Entry[] {
    let count = 0;
    let rows = 0;
    const batch = this.take(({ command }) => {
      count += 1;
      rows += rowsOf(command);
      return count <= most && (count === 1 || rows <= rowsMax);
    });
    for (const entry of batch) entry.taken = true;
    return batch;
  }

  /** Takes all that still wait and are wanted. */
  take(wanted: (entry: Entry) => boolean = () => true): Entry[] {
    const taken: Entry[] = [];
    const left: Entry[] = [];
    for (const entry of this.waiting) {
      if (entry.givenUp) continue;
      (wanted(entry) ? taken : left).push(entry);
    }
    this.waiting = left;
    return taken;
  }

  /** Puts a batch that was not committed back in front. */
  putBack(entries: Entry[]): void {
    for (const entry of entries) entry.taken = false;
    this.waiting = [...entries.filter((entry) => !entry.givenUp), ...this.waiting];
  }

  private get stalledByNowMs(): number {
    const { heldUpSinceMs } = this;
    return this.stalledMs + (heldUpSinceMs === undefined ? 0 : this.clock.nowMs() - heldUpSinceMs);
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
    const late: Entry[] = [];
    for (const entry of [...this.open.values()].flat()) {
      if (entry.sentAtMs !== undefined) {
        if (now - entry.sentAtMs >= UNKNOWN_OUTCOME_MAX_MS) late.push(entry);
      } else if (!entry.givenUp && this.waitedTooLong(entry, now)) late.push(entry);
    }
    if (late.length > 0) this.giveUp(late);
    if (this.waiting.some((entry) => entry.givenUp))
      this.waiting = this.waiting.filter((entry) => !entry.givenUp);
  }

  private waitedTooLong({ arrivedMs, stalledBeforeMs }: Entry, nowMs: number): boolean {
    const waitedMs = nowMs - arrivedMs;
    return (
      waitedMs - (this.stalledByNowMs - stalledBeforeMs) >= UNDECIDED_MAX_MS ||
      waitedMs >= UNDECIDED_WHILE_BUSY_MAX_MS
    );
  }
}

/** Rows that a command writes if it is accepted: tickets sold or cancelled. */
export function rowsOf(command: Command): number {
  return command.type === "BuyTickets" ? command.quantity : 1;
}

/**
 * Whether a command gets the answer of an open one: the same transaction and quantity, decided
 * here. One that another node forwarded never waits for one that may be forwarded in turn.
 */
function joins(
  open: Entry,
  command: Command,
  { forwarded, insteadOf }: Pick<Entry, "forwarded" | "insteadOf">,
): boolean {
  return (
    !open.forwardedAway &&
    open.command.type === command.type &&
    rowsOf(open.command) === rowsOf(command) &&
    (open.taken || (open.forwarded === forwarded && open.insteadOf === insteadOf))
  );
}

function replayOf(outcome: Outcome): Outcome {
  return outcome.ok && "tickets" in outcome.value
    ? { ok: true, value: { ...outcome.value, replayed: true } }
    : outcome;
}
