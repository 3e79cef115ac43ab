import { forgetOldest } from "../../../domain/decide.ts";
import type { Command } from "../../../domain/event-state.ts";
import { refused } from "../../../domain/refusal.ts";
import {
  absorb,
  answerForwarded,
  type DecidedBatch,
  decideBatch,
  needsOf,
  NextBatch,
  settleBatch,
} from "./batch.ts";
import { type Entry, answerTimedOut, Mailbox, markNotExecuted } from "./mailbox.ts";
import {
  availabilityOf,
  type Ownership,
  OwnershipLosses,
  takeEpoch,
  PostgresClock,
} from "./ownership.ts";
import { OwnerLease } from "./ownership-lease.ts";
import type { Loaded, Outcome, Ticket, WorkerNote, WorkerPorts } from "./ports.ts";

const IDLE_MS = 30_000;
const STORE_AWAY_PAUSE_MS = 100;
/** Entries of each kind a worker remembers; more is loaded again. */
const KNOWN_MAX = 10_000;

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
  private readonly losses: OwnershipLosses;
  private running = false;
  private stopping = false;
  private coldStart = true;
  /** The nodes changed and another owns the event now. The worker ends with an empty mailbox. */
  private lostOwnership = false;
  /** There is no such event: nothing is worth staying for. */
  private eventMissing = false;
  private readonly postgresClock: PostgresClock;
  private readonly nextBatch: NextBatch;
  private sales = 0;
  private largestBatch = 0;

  /** `onIdle`: called when the worker has released its lease and keeps nothing. */
  constructor(eventId: string, ports: WorkerPorts, onIdle: () => void) {
    this.eventId = eventId;
    this.ports = ports;
    this.onIdle = onIdle;
    this.mailbox = new Mailbox(ports.clock, ports.limits.mailboxMax, ports.watch);
    this.lease = new OwnerLease(eventId, ports, this.mailbox);
    this.postgresClock = new PostgresClock(ports.clock);
    this.nextBatch = new NextBatch(ports.clock);
    this.losses = new OwnershipLosses(ports);
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
    if (this.running && this.mailbox.length === 1) this.mailbox.wake();
    else if (!this.running) {
      this.running = true;
      void this.run();
    }
    return answer;
  }

  /** Drops the state of a changed event. It is read again under a new epoch. */
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
    this.mailbox.wake();
  }

  /** Lets what waits be answered, then gives the lease back. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.mailbox.wake();
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
        const ending = this.stopping || this.eventMissing || this.lostOwnership;
        if (ending || !(await this.mailbox.waitForCommand(IDLE_MS))) break;
        continue;
      }
      try {
        await this.step();
      } catch (error) {
        // A bug: the state may be half-changed. The mailbox's sweep answers the callers.
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
      answerForwarded(entry, this.ports.router.forward(this.eventId, entry.command));
    }
  }

  private async takeOwnership(): Promise<boolean> {
    // The event is moving here. That time, and a cold start on a node that has never sold it, must
    // not cause refusals.
    const goOn = this.mailbox.pauseDeadlines();
    try {
      if (this.losses.isRecent) await this.pause(this.losses.pauseMs());
      if (!(await this.lease.take())) return false;
      if (!this.coldStart) goOn();
      this.coldStart = false;
      return await this.takeEpoch();
    } finally {
      goOn();
    }
  }

  private async takeEpoch(): Promise<boolean> {
    this.eventMissing = false;
    try {
      this.ownership = await takeEpoch(this.eventId, this.ports, this.postgresClock);
      this.eventMissing = this.ownership === undefined;
      if (this.eventMissing)
        for (const entry of this.mailbox.take(Infinity)) entry.answer(refused("EVENT_NOT_FOUND"));
      return !this.eventMissing;
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
    const nowMs = this.postgresClock.nowMs();
    const batch = decideBatch(state, undecided, nowMs, limits, this.ports.newTicketId);
    // From here TRY_AGAIN would be false, for a replay too: it was sold.
    const sent = batch.decided
      .filter(({ decision }) => decision.type !== "refuse")
      .map(({ entry }) => entry);
    for (const entry of sent) entry.sentAtMs ??= clock.nowMs();
    if (batch.sold.length + batch.cancelled.length === 0) {
      this.answer(batch, ownership);
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
        return this.startAgain(
          entries,
          result.oversell === true ? "oversell-prevented" : "commit-failed",
          result.error,
        );
      case "unknown":
        for (const { entry, decision } of batch.decided)
          entry.outcomeUnknown ||= decision.type === "accept";
        return this.startAgain(entries, "commit-unknown", result.error);
      default:
        result satisfies never;
    }
  }

  /** The next batch does not wait for it. */
  private answer(batch: DecidedBatch, ownership: Ownership, cancelled: Ticket[] = [], atMs = 0) {
    this.sales += batch.sold.length;
    this.largestBatch = Math.max(this.largestBatch, batch.decided.length);
    const turn = this.mailbox.length > 0 ? this.nextBatch.turnOf(batch.sold.length) : undefined;
    void settleBatch(this.ports, batch, turn, {
      event: ownership.event,
      left: availabilityOf(this.eventId, ownership),
      cancelledTickets: cancelled,
      committedAtMs: atMs,
    });
    forgetOldest(ownership.state, KNOWN_MAX);
  }

  /**
   * The epoch has passed to another node. Sell nothing more. The queue goes to the owner, or waits
   * for a new epoch of ours.
   */
  private async lost(entries: Entry[]): Promise<void> {
    this.ports.note("epoch-lost", this.eventId);
    this.ownership = undefined;
    await this.lease.giveBack();
    const again = this.losses.isRecent;
    this.losses.add();
    this.mailbox.putBack(entries);
    // Two nodes that take the epoch from each other would never end: callers come back later.
    if (again) for (const entry of this.mailbox.take(Infinity)) answerTimedOut(entry);
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
}
