import { forgetOldest } from "../../../domain/decide.ts";
import { type Command, type EventState, newEventState } from "../../../domain/event-state.ts";
import { refused } from "../../../domain/refusal.ts";
import { answerInDoubt, settleBatch } from "./settle-batch.ts";
import { absorb, decideBatch, type DecidedBatch, needsOf, purchaseOf } from "./decide-batch.ts";
import { type Entry, answerTimedOut, Mailbox, markNotExecuted } from "./mailbox.ts";
import { NextBatch } from "./deferred-replies.ts";
import { OwnerLease } from "./ownership-lease.ts";
import type { Loaded, LoadedEvent, Outcome, Ticket, WorkerNote, WorkerPorts } from "./ports.ts";
import { PostgresClock } from "./database-clock.ts";

const IDLE_MS = 30_000;
const LOSS_PAUSE_LEAST_MS = 50;
const LOSS_PAUSE_SPREAD_MS = 150;
const SECOND_LOSS_MS = 1_000;
const STORE_AWAY_PAUSE_MS = 100;
/** Entries of each kind a worker remembers; more is loaded again. */
const KNOWN_MAX = 10_000;

/**
 * What is true only while the epoch is ours. Dropped whole when the epoch has passed or a commit's
 * outcome is unknown.
 */
type Ownership = {
  epoch: number;
  batch: number;
  event: LoadedEvent;
  state: EventState;
  /** Taken for commands that were sent here though another owns the event. */
  standIn: boolean;
};

/**
 * Sells one event: an actor with a mailbox. It takes all waiting commands (up to batchMax), decides
 * them in memory and commits them in one statement. Each clause of this protocol answers an
 * interleaving that oversold, lost or stalled without it.
 */
export class EventWorker {
  readonly eventId: string;
  private readonly ports: WorkerPorts;
  private readonly mailbox: Mailbox;
  private readonly onIdle: () => void;
  private ownership: Ownership | undefined;
  private readonly lease: OwnerLease;
  private lastLossMs: number | undefined;
  private running = false;
  private stopping = false;
  private coldStart = true;
  /**
   * The nodes changed and another owns the event now. The worker ends once its mailbox is empty.
   */
  private lostOwnership = false;
  /** There is no such event: nothing is worth staying for. */
  private eventMissing = false;
  private wake: () => void = () => undefined;
  private readonly postgresClock: PostgresClock;
  private readonly nextBatch: NextBatch;
  private sales = 0;
  private largestBatch = 0;

  /** `onIdle` is called when the worker was idle, has released its lease and keeps nothing. */
  constructor(eventId: string, ports: WorkerPorts, onIdle: () => void) {
    this.eventId = eventId;
    this.ports = ports;
    this.onIdle = onIdle;
    this.mailbox = new Mailbox(ports.clock, ports.limits.mailboxMax, ports.watch);
    this.lease = new OwnerLease(eventId, ports, this.mailbox);
    this.postgresClock = new PostgresClock(ports.clock);
    this.nextBatch = new NextBatch(ports.clock);
  }

  /**
   * Submits a command. Resolves with a sale, a replay, a refusal, TRY_AGAIN (nothing was done) or
   * OUTCOME_UNKNOWN. Never rejects.
   *
   * `forwarded`: another node's worker forwarded it, so serve it here. `insteadOf`: the owner,
   * which did not answer the caller. Serve the command here if that node is gone.
   */
  submit(command: Command, forwarded: boolean, insteadOf?: string): Promise<Outcome> {
    const answer = this.mailbox.put(command, forwarded, insteadOf);
    if (forwarded) this.lease.hurry();
    if (this.running && this.mailbox.length === 1) this.wake();
    else if (!this.running) {
      this.running = true;
      void this.run();
    }
    return answer;
  }

  /**
   * Drops what is known of the event, because it changed. It is read again under a new epoch before
   * the next decision.
   */
  forget(): void {
    this.ownership = undefined;
  }

  /**
   * Reacts to nodes that joined, left or are leaving. An event that belongs to another node moves
   * there at once, with lease and mailbox.
   */
  onTopologyChange(): void {
    if (this.ports.router.isOwner(this.eventId)) return;
    this.lostOwnership = true;
    this.lease.hurry();
    this.wake();
  }

  /** Lets what waits be answered, then gives the lease back. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    while (this.running || !this.mailbox.quiet) await this.pause(20);
  }

  /** For operators. */
  status() {
    const { ownership, eventId } = this;
    return {
      eventId,
      epoch: ownership?.epoch ?? null,
      batch: ownership?.batch ?? null,
      available: ownership?.state.available ?? null,
      mailbox: this.mailbox.length,
      largestBatch: this.largestBatch,
      sales: this.sales,
      degraded: ownership !== undefined && !this.lease.held,
    };
  }

  private async run(): Promise<void> {
    for (;;) {
      if (this.mailbox.length === 0) {
        if (
          this.stopping ||
          this.eventMissing ||
          this.lostOwnership ||
          !(await this.waitForCommand())
        )
          break;
        continue;
      }
      try {
        await this.step();
      } catch (error) {
        // A bug, not a refusal: the state may be half-changed, so drop it. The mailbox's sweep
        // answers the waiting callers.
        this.ports.note("fault", this.eventId, { error: String(error) });
        this.ownership = undefined;
        await this.pause(STORE_AWAY_PAUSE_MS);
      }
    }
    this.ownership = undefined;
    this.lostOwnership = false;
    await this.lease.giveBack();
    if (this.mailbox.length > 0) return this.run();
    this.running = false;
    this.ports.note("passivated", this.eventId);
    this.onIdle();
  }

  private async step(): Promise<void> {
    const owner = this.ports.router.isOwner(this.eventId);
    if (!owner) this.forwardQueued();
    if (this.ownership?.standIn === owner) this.ownership = undefined;
    if (this.mailbox.length === 0) return;
    if (this.ownership === undefined && !(await this.takeOwnership())) return;
    if (this.ownership !== undefined) await this.processBatch(this.ownership);
  }

  /**
   * Forwards the queue: another node owns the event and waits for the lease. What was forwarded to
   * us is served here, without a lease.
   */
  private forwardQueued(): void {
    void this.lease.giveBack();
    for (const entry of this.mailbox.take(Infinity, ({ forwarded }) => !forwarded)) {
      entry.sentAtMs = this.ports.clock.nowMs();
      this.ports.router.forward(this.eventId, entry.command).then(
        (outcome) => answerInDoubt(entry, outcome),
        () => answerTimedOut(entry),
      );
    }
  }

  private async takeOwnership(): Promise<boolean> {
    // The event is moving here. That time, and a cold start on a node that has never sold it, must
    // not cause refusals.
    const goOn = this.mailbox.pauseDeadlines();
    try {
      if (this.lostJustNow())
        await this.pause(LOSS_PAUSE_LEAST_MS + this.ports.random() * LOSS_PAUSE_SPREAD_MS);
      if (!(await this.lease.take())) return false;
      if (!this.coldStart) goOn();
      this.coldStart = false;
      return await this.takeEpoch();
    } finally {
      goOn();
    }
  }

  private async takeEpoch(): Promise<boolean> {
    const { store, clock, router } = this.ports;
    try {
      const epoch = await store.takeEpoch(this.eventId);
      this.eventMissing = epoch === undefined;
      if (epoch === undefined) {
        for (const entry of this.mailbox.take(Infinity)) entry.answer(refused("EVENT_NOT_FOUND"));
        return false;
      }
      const askedAtMs = clock.nowMs();
      const event = await store.loadEvent(this.eventId);
      this.postgresClock.sync(event.clockMs, askedAtMs);
      const state = newEventState(event.startsAtMs, event.available);
      this.ownership = { epoch, batch: 0, event, state, standIn: !router.isOwner(this.eventId) };
      this.ports.note("epoch-taken", this.eventId, { epoch });
      return true;
    } catch (error) {
      this.ports.note("store-away", this.eventId, { error: String(error) });
      await this.pause(STORE_AWAY_PAUSE_MS);
      return false;
    }
  }

  private async processBatch(ownership: Ownership): Promise<void> {
    const { store, limits, clock, watch } = this.ports;
    const { state, event } = ownership;
    const entries = this.mailbox.take(limits.batchMax);
    const needs = needsOf(state, entries);
    let loaded: Loaded;
    let askedAtMs = clock.nowMs();
    watch?.taken(entries, askedAtMs);
    try {
      loaded = await store.load(this.eventId, needs);
    } catch (error) {
      return this.startAgain(entries, "store-away", error);
    }
    if (loaded.epoch !== ownership.epoch || loaded.batch !== ownership.batch)
      return this.lost(entries);
    this.postgresClock.sync(loaded.clockMs, askedAtMs);
    absorb(state, needs, loaded);
    // A caller that got TRY_AGAIN during the load must not be sold anything now.
    const undecided = entries.filter((entry) => !entry.answered);
    const batch = decideBatch(
      state,
      undecided,
      this.postgresClock.nowMs(),
      limits,
      this.ports.newTicketId,
    );
    // From here TRY_AGAIN would be false for a replay too: it was sold, though its present status
    // may be unreadable.
    const sent = batch.decided
      .filter(({ decision }) => decision.type !== "refuse")
      .map(({ entry }) => entry);
    for (const entry of sent) entry.sentAtMs ??= clock.nowMs();
    if (batch.sold.length + batch.cancelled.length === 0) {
      this.answer(batch, ownership, []);
      return;
    }

    askedAtMs = clock.nowMs();
    const committing = store.commit(
      { eventId: this.eventId, epoch: ownership.epoch, batch: ownership.batch },
      { event, sold: batch.sold, cancelled: batch.cancelled },
    );
    this.nextBatch.sent();
    const result = await committing;
    switch (result.type) {
      case "committed":
        ownership.batch = result.batch;
        this.postgresClock.sync(result.clockMs, askedAtMs);
        this.answer(batch, ownership, result.cancelled, result.clockMs);
        return;
      case "fenced":
        markNotExecuted(sent);
        return this.lost(entries);
      case "failed":
        markNotExecuted(sent);
        return this.startAgain(entries, "commit-failed", result.error);
      case "unknown":
        for (const { entry, decision } of batch.decided)
          entry.outcomeUnknown ||= decision.type === "accept";
        return this.startAgain(entries, "commit-unknown", result.error);
      default:
        result satisfies never;
    }
  }

  /** The next batch does not wait for it. */
  private answer(
    batch: DecidedBatch,
    ownership: Ownership,
    cancelled: Ticket[],
    committedAtMs = 0,
  ): void {
    const { epoch, batch: number, event, state } = ownership;
    this.sales += batch.sold.length;
    this.largestBatch = Math.max(this.largestBatch, batch.decided.length);
    const purchases = batch.sold.map((sold) =>
      purchaseOf(event, this.eventId, sold, committedAtMs),
    );
    const turn = this.mailbox.length > 0 ? this.nextBatch.turnOf(purchases.length) : undefined;
    void settleBatch(this.ports, batch, turn, {
      left: {
        eventId: this.eventId,
        epoch,
        batch: number,
        available: state.available,
        endsAtMs: event.endsAtMs,
      },
      sold: purchases,
      cancelled,
    });
    forgetOldest(state, KNOWN_MAX);
  }

  /**
   * The epoch has passed to another node. Sell nothing more. The queue goes to the owner, or waits
   * for a new epoch of ours.
   */
  private async lost(entries: Entry[]): Promise<void> {
    this.ports.note("epoch-lost", this.eventId);
    this.ownership = undefined;
    await this.lease.giveBack();
    const again = this.lostJustNow();
    this.lastLossMs = this.ports.clock.nowMs();
    this.mailbox.putBack(entries);
    // Two nodes that take the epoch from each other would never end. Let the callers come back
    // later.
    if (again) for (const entry of this.mailbox.take(Infinity)) answerTimedOut(entry);
  }

  private lostJustNow(): boolean {
    return (
      this.lastLossMs !== undefined && this.ports.clock.nowMs() - this.lastLossMs < SECOND_LOSS_MS
    );
  }

  /**
   * Takes a new epoch and runs the commands again under the same transaction ids. One path for a
   * crash, a failed commit and an unknown outcome.
   */
  private async startAgain(entries: Entry[], why: WorkerNote, error: unknown): Promise<void> {
    this.ports.note(why, this.eventId, { error: String(error) });
    this.ownership = undefined;
    this.mailbox.putBack(entries);
    await this.pause(STORE_AWAY_PAUSE_MS);
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.ports.clock.after(delayMs, resolve));
  }

  /** Resolves with true when a command arrives, with false after IDLE_MS without one. */
  private waitForCommand(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.ports.clock.after(IDLE_MS, () => resolve(this.mailbox.length > 0));
      this.wake = () => {
        timer.cancel();
        resolve(true);
      };
    });
  }
}
