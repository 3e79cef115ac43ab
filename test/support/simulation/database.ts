import type { Changes, CommitResult, Loaded, LoadedEvent, Needs, Ownership, Purchase, Ticket } from "../../../services/purchasing/ports.ts";
import type { Kernel } from "./kernel.ts";

/** Clauses of the commit that can be taken out, to see that the checker notices. */
export type BrokenClauses = { epoch?: true; batch?: true; rowLock?: true; counts?: true; uniqueKey?: true; importEpoch?: true };

type TicketRow = {
  id: string;
  transactionId: string;
  userId: string;
  ordinal: number;
  purchasedAtMs: number;
  cancelledAtMs: number | undefined;
};
type PendingRow = { transactionId: string; quantity: number };
type Rows = {
  epoch: number;
  batch: number;
  total: number;
  capacity: number;
  tickets: Map<string, TicketRow>;
  pending: Map<string, PendingRow>;
  booked: Map<string, number>;
};

export const EVENT_ID = "00000000-0000-7000-8000-000000000001";

/**
 * PostgreSQL as the worker's statements meet it at READ COMMITTED, for one event: a statement that waits for the worker's row checks it again when it
 * gets it; what a statement wrote is seen when it has committed, not before; a read sees one instant.
 */
export class SimulatedDatabase {
  rows: Rows;
  /** Called after every commit, before anyone else runs. */
  onChange: () => void = () => undefined;
  /** Called inside a batch, after its sales and before its cancellations: decisions in it may have met this state. */
  onSold: () => void = () => undefined;
  readonly startsAtMs: number;
  private readonly kernel: Kernel;
  private readonly broken: BrokenClauses;
  /** Grows when the server is replaced: what was under way is gone with the old one. */
  private generation = 0;
  private locked = false;
  private readonly waiting: (() => void)[] = [];

  constructor(kernel: Kernel, total: number, startsAtMs: number, broken: BrokenClauses) {
    this.kernel = kernel;
    this.startsAtMs = startsAtMs;
    this.broken = broken;
    this.rows = { epoch: 0, batch: 0, total, capacity: total, tickets: new Map(), pending: new Map(), booked: new Map() };
  }

  get active(): TicketRow[] {
    return [...this.rows.tickets.values()].filter((ticket) => ticket.cancelledAtMs === undefined);
  }
  get unbooked(): number {
    return [...this.rows.pending.values()].reduce((sum, row) => sum + row.quantity, 0);
  }
  ticketsOf(transactionId: string): TicketRow[] {
    return [...this.rows.tickets.values()].filter((ticket) => ticket.transactionId === transactionId);
  }

  /** What a backup holds. */
  backup(): Rows {
    return structuredClone(this.rows);
  }
  restore(rows: Rows): void {
    this.rows = structuredClone(rows);
    this.generation += 1;
    this.onChange();
  }

  takeEpoch(done: (epoch: number) => void): void {
    this.lock(() => {
      this.nextEpoch();
      const { epoch } = this.rows;
      this.unlock();
      done(epoch);
    });
  }

  /** An import: under an epoch of its own it books what is pending and sets the truth, in one transaction; it refuses a total below what is sold. */
  change(total: number, holdMs: number, done: () => void): void {
    this.lock(() => {
      const { generation } = this;
      this.kernel.after(holdMs, "postgres", () => {
        const { active, rows } = this;
        if (generation === this.generation && total >= active.length) {
          if (this.broken.importEpoch !== true) this.nextEpoch();
          for (const row of rows.pending.values()) rows.booked.set(row.transactionId, row.quantity);
          rows.pending.clear();
          rows.total = total;
          rows.capacity = total - active.length;
          this.onChange();
        }
        this.unlock();
        done();
      });
    });
  }

  loadEvent(): LoadedEvent {
    const available = this.rows.capacity + this.unbooked;
    const { startsAtMs } = this;
    return {
      eventName: "Concert",
      location: "Berlin",
      eventDate: "2030-01-01",
      startsAtMs,
      endsAtMs: startsAtMs,
      available,
      clockMs: this.kernel.nowMs,
    };
  }

  load(needs: Needs): Loaded {
    const { epoch, batch } = this.rows;
    const sales = needs.transactionIds.flatMap((transactionId) => {
      const tickets = this.ticketsOf(transactionId);
      return tickets[0] === undefined ? [] : [{ transactionId, userId: tickets[0].userId, quantity: tickets.length }];
    });
    const tickets = needs.ticketIds.flatMap((ticketId) => {
      const row = this.rows.tickets.get(ticketId);
      return row === undefined ? [] : [{ ticketId, userId: row.userId, cancelled: row.cancelledAtMs !== undefined }];
    });
    const activeTickets = needs.userIds.map((userId) => ({
      userId,
      count: this.active.filter((ticket) => ticket.userId === userId).length,
    }));
    return { epoch, batch, clockMs: this.kernel.nowMs, sales, tickets, activeTickets };
  }

  /** `holdMs`: how long the statement is under way once it has the row. */
  commit(ownership: Ownership, changes: Changes, holdMs: number, done: (result: CommitResult) => void): void {
    const mine = (): boolean =>
      (this.broken.epoch === true || this.rows.epoch === ownership.epoch) &&
      (this.broken.batch === true || this.rows.batch === ownership.batch);
    if (this.broken.rowLock === true) {
      if (!mine()) return done({ type: "fenced" });
      this.kernel.after(holdMs, "postgres", () => done(this.apply(ownership, changes)));
      return;
    }
    this.lock(() => {
      if (!mine()) {
        this.unlock();
        return done({ type: "fenced" });
      }
      const { generation } = this;
      this.kernel.after(holdMs, "postgres", () => {
        const gone = generation !== this.generation;
        const result: CommitResult = gone ? { type: "unknown", error: new Error("connection cut") } : this.apply(ownership, changes);
        this.unlock();
        done(result);
      });
    });
  }

  /** The ledger's transaction: all pending rows into the capacity. */
  book(): void {
    this.rows.capacity += this.unbooked;
    for (const row of this.rows.pending.values()) this.rows.booked.set(row.transactionId, row.quantity);
    this.rows.pending.clear();
    this.onChange();
  }

  readPurchases(transactionIds: string[]): Map<string, Omit<Purchase, "replayed">> {
    return new Map(
      transactionIds.flatMap((transactionId) => {
        const tickets = this.ticketsOf(transactionId)
          .sort((a, b) => a.ordinal - b.ordinal)
          .map(ticketView);
        const status = this.rows.pending.has(transactionId) ? "pending" : "completed";
        return tickets.length === 0
          ? []
          : [[transactionId, { transactionId, status, eventId: EVENT_ID, quantity: tickets.length, tickets }] as const];
      }),
    );
  }
  readTickets(ticketIds: string[]): Map<string, Ticket> {
    return new Map(ticketIds.flatMap((id) => this.rows.tickets.get(id) ?? []).map((ticket) => [ticket.id, ticketView(ticket)]));
  }

  private apply({ epoch, batch }: Ownership, { sold, cancelled }: Changes): CommitResult {
    const { rows, kernel } = this;
    const duplicate = this.broken.uniqueKey !== true && sold.some(({ transactionId }) => this.ticketsOf(transactionId).length > 0);
    const freed = cancelled.filter(({ ticketId }) => {
      const row = rows.tickets.get(ticketId);
      return row !== undefined && row.cancelledAtMs === undefined && kernel.nowMs < this.startsAtMs;
    });
    const asDecided = freed.length === cancelled.length || this.broken.counts === true;
    if (duplicate || !asDecided) return { type: "failed", error: new Error(duplicate ? "23505" : "BX001") };
    for (const { transactionId, userId, ticketIds } of sold) {
      ticketIds.forEach((id, index) =>
        rows.tickets.set(id, { id, transactionId, userId, ordinal: index + 1, purchasedAtMs: kernel.nowMs, cancelledAtMs: undefined }),
      );
      rows.pending.set(transactionId, { transactionId, quantity: -ticketIds.length });
    }
    this.onSold();
    for (const { ticketId } of freed) {
      const row = rows.tickets.get(ticketId);
      if (row !== undefined) row.cancelledAtMs = kernel.nowMs;
    }
    for (const { transactionId } of this.broken.counts === true ? cancelled : freed)
      rows.pending.set(transactionId, { transactionId, quantity: 1 });
    if (rows.epoch === epoch) rows.batch += 1;
    this.onChange();
    const tickets = [...this.readTickets(cancelled.map(({ ticketId }) => ticketId)).values()];
    return { type: "committed", batch: batch + 1, clockMs: kernel.nowMs, cancelled: tickets };
  }

  private nextEpoch(): void {
    this.rows.epoch = Math.max(this.rows.epoch + 1, Math.round(this.kernel.nowMs));
    this.rows.batch = 0;
  }
  private lock(task: () => void): void {
    if (this.locked) this.waiting.push(task);
    else {
      this.locked = true;
      task();
    }
  }
  private unlock(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.locked = false;
    else next();
  }
}

function ticketView({ id, transactionId, purchasedAtMs, cancelledAtMs }: TicketRow): Ticket {
  return {
    ...{ id, eventId: EVENT_ID, eventName: "Concert", location: "Berlin", eventDate: "2030-01-01", transactionId },
    status: cancelledAtMs === undefined ? "active" : "cancelled",
    purchasedAt: new Date(purchasedAtMs).toISOString(),
    cancelledAt: cancelledAtMs === undefined ? null : new Date(cancelledAtMs).toISOString(),
  };
}
