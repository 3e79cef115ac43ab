import { BatchExpired } from "../../../lib/concurrency/batcher.ts";
import {
  absorb,
  type DecidedBatch,
  decideBatch,
  needsOf,
  NextBatch,
  NOTHING,
  rowsIn,
  settleBatch,
} from "./batch.ts";
import type { Entry, Mailbox } from "./mailbox.ts";
import { availabilityOf, type Ownership, type PostgresClock } from "./ownership.ts";
import type { CommitResult, Needs, Ticket, WorkerNote, WorkerPorts } from "./ports.ts";

/**
 * How a batch ended. `settled`: committed, or refused and replayed under a checked epoch; its
 * answers are under way. Otherwise nothing was answered and the commands run again. `not-sent`:
 * PostgreSQL was not asked, the epoch is still ours. `fenced`: another node has a newer epoch.
 * `failed`: what PostgreSQL has done may be unknown, so a new epoch is needed.
 */
export type BatchEnd =
  | { type: "settled" }
  | { type: "not-sent" }
  | { type: "fenced" }
  | { type: "failed"; why: WorkerNote; error: unknown };

const SETTLED: BatchEnd = { type: "settled" };
const NONE: ReadonlySet<string> = new Set();

/**
 * Sells batches of one event under its worker's epoch: loads what is not known, decides, commits,
 * answers. One batch at a time.
 */
export class Seller {
  sales = 0;
  /** Tickets of those sales. */
  tickets = 0;
  largestBatch = 0;
  private readonly eventId: string;
  private readonly ports: WorkerPorts;
  private readonly mailbox: Pick<Mailbox, "length">;
  private readonly postgresClock: PostgresClock;
  private readonly size = new BatchSize();
  /** Transactions in the commit that is under way. Their callers may have given up. */
  private committing: ReadonlySet<string> = NONE;
  private readonly nextBatch: NextBatch;

  constructor(
    eventId: string,
    ports: WorkerPorts,
    mailbox: Pick<Mailbox, "length">,
    postgresClock: PostgresClock,
  ) {
    this.eventId = eventId;
    this.ports = ports;
    this.mailbox = mailbox;
    this.postgresClock = postgresClock;
    this.nextBatch = new NextBatch(ports.clock);
  }

  /** Rows that the next batch may write. */
  get rowsMax(): number {
    return this.size.rows;
  }

  isCommitting(transactionId: string): boolean {
    return this.committing.has(transactionId);
  }

  /** Decides these commands and commits what they change. Never rejects. */
  async sell(ownership: Ownership, entries: Entry[]): Promise<BatchEnd> {
    const { limits, clock, watch } = this.ports;
    const { state, buyers } = ownership;
    const needs = needsOf(state, buyers, entries);
    watch?.taken(entries, clock.nowMs());
    const unread = needs === undefined ? undefined : await this.load(ownership, needs);
    if (unread !== undefined) return unread;
    // A caller that was given up during the load must not be sold anything now.
    const undecided = entries.filter((entry) => !entry.givenUp);
    const nowMs = this.postgresClock.nowMs();
    const batch = decideBatch(state, undecided, nowMs, limits, this.ports.newTicketId);
    for (const { userId } of batch.sold) buyers.add(userId);
    // From here TRY_AGAIN would be false, for a replay too: it was sold.
    for (const { entry, decision } of batch.decided) {
      if (decision.type === "refuse") continue;
      entry.sentAtMs ??= clock.nowMs();
      // The epoch has fenced its earlier commits, and none of them is there.
      if (decision.type === "accept") entry.inDoubt = false;
    }
    if (batch.sold.length + batch.cancelled.length > 0) return this.commit(ownership, batch);
    // Refusals and replays alone pass the fence by reading it.
    const fenced = needs === undefined ? await this.load(ownership, NOTHING) : undefined;
    if (fenced !== undefined) return fenced;
    this.answer(batch, ownership, []);
    return SETTLED;
  }

  /** Reads the ownership row and what a batch needs. Returns why that failed. */
  private async load(ownership: Ownership, needs: Needs): Promise<BatchEnd | undefined> {
    const { store, clock } = this.ports;
    const askedAtMs = clock.nowMs();
    try {
      const loaded = await store.load(this.eventId, needs);
      if (loaded.epoch !== ownership.epoch || loaded.batch !== ownership.batch)
        return { type: "fenced" };
      this.postgresClock.sync(loaded.clockMs, askedAtMs);
      absorb(ownership.state, needs, loaded);
      return undefined;
    } catch (error) {
      if (error instanceof BatchExpired) return { type: "not-sent" };
      return { type: "failed", why: "store-away", error };
    }
  }

  private async commit(ownership: Ownership, batch: DecidedBatch): Promise<BatchEnd> {
    const { store, clock, copies } = this.ports;
    const { sold, cancelled } = batch;
    // Before the commit: a worker that dies right after it leaves no copy of an active ticket.
    if (cancelled.length > 0)
      await copies.withdraw(availabilityOf(this.eventId, ownership), cancelled);
    const askedAtMs = clock.nowMs();
    const committing = store.commit(
      { eventId: this.eventId, epoch: ownership.epoch, batch: ownership.batch },
      { event: ownership.event, sold, cancelled, alone: this.size.slow },
    );
    this.committing = new Set(sold.map(({ transactionId }) => transactionId));
    this.nextBatch.sent();
    const result = await committing;
    this.committing = NONE;
    if (result.type !== "committed") return this.notCommitted(result, batch);
    this.size.committed(rowsIn(batch), clock.nowMs() - askedAtMs);
    ownership.batch = result.batch;
    this.postgresClock.sync(result.clockMs, askedAtMs);
    this.answer(batch, ownership, result.cancelled, result.clockMs);
    return SETTLED;
  }

  private notCommitted(
    result: Exclude<CommitResult, { type: "committed" }>,
    batch: DecidedBatch,
  ): BatchEnd {
    const { decided } = batch;
    const rows = rowsIn(batch);
    const accepted = decided.flatMap(({ entry, decision }) =>
      decision.type === "accept" ? [entry] : [],
    );
    if (result.type === "unknown") {
      for (const entry of accepted) [entry.inDoubt, entry.notSold] = [true, false];
      this.size.timedOut(rows);
      return { type: "failed", why: "commit-unknown", error: result.error };
    }
    // Nothing was sold. A replay stays what it is: sold before.
    for (const entry of accepted) entry.sentAtMs = undefined;
    // The node that fenced us may sell the same keys.
    if (result.type === "fenced") return result;
    for (const entry of accepted) entry.notSold = true;
    if (result.reason === "time-out") this.size.timedOut(rows);
    const why = result.reason === "oversell" ? "oversell-prevented" : "commit-failed";
    return { type: "failed", why, error: result.error };
  }

  /** The next batch does not wait for it. */
  private answer(
    batch: DecidedBatch,
    ownership: Ownership,
    cancelledTickets: Ticket[],
    committedAtMs = 0,
  ): void {
    this.sales += batch.sold.length;
    this.tickets += rowsIn({ sold: batch.sold, cancelled: [] });
    this.largestBatch = Math.max(this.largestBatch, batch.decided.length);
    const turn = this.mailbox.length > 0 ? this.nextBatch.turnOf(batch.sold.length) : undefined;
    void settleBatch(this.ports, batch, turn, {
      event: ownership.event,
      left: availabilityOf(this.eventId, ownership),
      cancelledTickets,
      committedAtMs,
    });
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
 * batch in proportion, a time-out quarters it, fast commits of full batches let it grow by half. A
 * batch of ROWS_MIN or fewer says nothing of its event: it waited for others, or for a connection.
 */
class BatchSize {
  private rowsMax = ROWS_AT_FIRST;
  private isSlow = false;

  /** Rows that the next batch may write. */
  get rows(): number {
    return this.rowsMax;
  }
  /** Whether PostgreSQL is slow for this event. Its commits must not delay other events. */
  get slow(): boolean {
    return this.isSlow;
  }

  /** A commit of this many rows took this long. */
  committed(rows: number, tookMs: number): void {
    if (tookMs > SLOW_MS) this.shrink(rows, (rows * SLOW_MS) / tookMs);
    if (tookMs >= FAST_MS) return;
    this.isSlow = false;
    if (rows * 2 > this.rowsMax) this.limit(this.rowsMax * 1.5);
  }

  /** PostgreSQL gave up a commit of this many rows, or did not answer in time. */
  timedOut(rows: number): void {
    this.shrink(rows, this.rowsMax / 4);
  }

  private shrink(rows: number, to: number): void {
    if (rows <= ROWS_MIN) return;
    this.isSlow = true;
    this.limit(to);
  }

  private limit(rows: number): void {
    this.rowsMax = Math.min(ROWS_MAX, Math.max(ROWS_MIN, Math.floor(rows)));
  }
}
