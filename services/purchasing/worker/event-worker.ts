import { forgetOldest } from "../../../domain/decide.ts";
import type { Command } from "../../../domain/event-state.ts";
import { refused } from "../../../domain/refusal.ts";
import { answerForwarded } from "./batch.ts";
import { type Entry, Mailbox } from "./mailbox.ts";
import { type Ownership, OwnershipLosses, takeEpoch, PostgresClock } from "./ownership.ts";
import { OwnerLease } from "./ownership-lease.ts";
import type { Outcome, WorkerNote, WorkerPorts } from "./ports.ts";
import { Seller } from "./seller.ts";
import { Undecided } from "./undecided.ts";

const IDLE_MS = 30_000;
const STORE_AWAY_PAUSE_MS = 100;

/**
 * Sells one event: an actor with a mailbox. It takes the waiting commands (as many as PostgreSQL
 * commits quickly), decides them in memory and commits them in one statement. Each clause of this
 * protocol answers an interleaving that oversold, lost or stalled without it.
 */
export class EventWorker {
  readonly eventId: string;
  private readonly ports: WorkerPorts;
  private readonly mailbox: Mailbox;
  private readonly onIdle: () => void;
  private ownership: Ownership | undefined;
  /** Undefined also while a commit of unknown outcome may still be under way. */
  private lastEpoch: number | undefined;
  /** The last epoch that was asked for did not come. */
  private storeAway = false;
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
  private readonly seller: Seller;
  private readonly undecided: Undecided;
  private readonly siblings: () => number;

  /**
   * `onIdle`: called when the worker has released its lease and keeps nothing. `siblings`: workers
   * on this node, this one included.
   */
  constructor(
    eventId: string,
    ports: WorkerPorts,
    onIdle: () => void,
    siblings: () => number = () => 1,
  ) {
    this.eventId = eventId;
    this.ports = ports;
    this.onIdle = onIdle;
    this.undecided = new Undecided(eventId, ports, {
      epoch: () => this.lastEpoch,
      mayBeSelling: (entry) =>
        this.mailbox.sharesKey(entry) || this.seller.isCommitting(entry.command.transactionId),
      storeAway: () => this.storeAway,
    });
    const giveUp = (entries: readonly Entry[]): void => this.undecided.answer(entries);
    this.mailbox = new Mailbox(ports.clock, ports.limits.mailboxMax, giveUp, ports.watch);
    this.lease = new OwnerLease(eventId, ports, this.mailbox, giveUp);
    this.postgresClock = new PostgresClock(ports.clock);
    this.seller = new Seller(eventId, ports, this.mailbox, this.postgresClock);
    this.siblings = siblings;
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
    this.ownership?.buyers.close();
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
      largestBatch: this.seller.largestBatch,
      sales: this.seller.sales,
      tickets: this.seller.tickets,
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
        this.forget();
        await this.pause(STORE_AWAY_PAUSE_MS);
      }
    }
    this.forget();
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
    if (this.ownership?.standIn === owner) this.forget();
    if (this.mailbox.length === 0) return;
    if (this.ownership === undefined && !(await this.takeOwnership())) return;
    if (this.ownership !== undefined) await this.sellBatch(this.ownership);
  }

  /**
   * Forwards the queue: another node owns the event and waits for the lease. What was forwarded to
   * us is served here, without a lease.
   */
  private forwardQueued(): void {
    void this.lease.giveBack();
    for (const entry of this.mailbox.take(({ forwarded }) => !forwarded)) {
      entry.sentAtMs = this.ports.clock.nowMs();
      entry.forwardedAway = true;
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
      this.storeAway = false;
      this.eventMissing = this.ownership === undefined;
      this.lastEpoch = this.ownership?.epoch;
      if (this.eventMissing)
        for (const entry of this.mailbox.take()) entry.answer(refused("EVENT_NOT_FOUND"));
      return !this.eventMissing;
    } catch (error) {
      this.storeAway = true;
      this.ports.note("store-away", this.eventId, { error: String(error) });
      await this.pause(STORE_AWAY_PAUSE_MS);
      return false;
    }
  }

  private async sellBatch(ownership: Ownership): Promise<void> {
    const { limits } = this.ports;
    const entries = this.mailbox.takeBatch(limits.batchMax, this.seller.rowsMax);
    const end = await this.seller.sell(ownership, entries);
    switch (end.type) {
      case "settled":
        // Bounded for the node: many workers remember less each.
        forgetOldest(ownership.state, Math.min(1, 10 / this.siblings()) * limits.knownMax);
        return;
      case "not-sent":
        this.mailbox.putBack(entries);
        return;
      case "fenced":
        return this.lost(entries);
      case "failed":
        return this.startAgain(entries, end.why, end.error);
      default:
        end satisfies never;
    }
  }

  /**
   * The epoch has passed to another node. Sell nothing more. The queue goes to the owner, or waits
   * for a new epoch of ours.
   */
  private async lost(entries: Entry[]): Promise<void> {
    this.ports.note("epoch-lost", this.eventId);
    this.forget();
    await this.lease.giveBack();
    const again = this.losses.isRecent;
    this.losses.add();
    this.mailbox.putBack(entries);
    // Two nodes that take the epoch from each other would never end: callers come back later.
    if (again) this.undecided.answer(this.mailbox.take());
  }

  /**
   * Takes a new epoch and runs the commands again under the same transaction ids. One path for a
   * crash, a failed commit and an unknown outcome.
   */
  private async startAgain(entries: Entry[], why: WorkerNote, error: unknown): Promise<void> {
    this.ports.note(why, this.eventId, { error: String(error) });
    if (why === "commit-unknown") this.lastEpoch = undefined;
    this.forget();
    this.mailbox.putBack(entries);
    await this.pause(STORE_AWAY_PAUSE_MS);
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.ports.clock.after(delayMs, resolve));
  }
}
