import type {
  Changes,
  CommitResult,
  Loaded,
  LoadedEvent,
  Needs,
  Ownership,
  Purchase,
  PurchaseKey,
  Ticket,
} from "../../../services/purchasing/worker/ports.ts";
import type { Kernel } from "./kernel.ts";
import { RowLock } from "./rows.ts";
import {
  type BrokenClauses,
  type Rows,
  type Server,
  sqlError,
  sumsByBatch,
  type TicketRow,
} from "./rows.ts";

/**
 * Simulates one event's rows at READ COMMITTED. A statement that waited for a row lock checks the
 * row again. Writes become visible at commit, and a read sees one instant.
 */
export class EventTables {
  readonly eventId: string;
  readonly startsAtMs: number;
  rows: Rows;
  /** Lock of the event's row in event_worker; below, of its row in event. */
  readonly workerRow = new RowLock();
  readonly eventRow = new RowLock();
  /** Until this instant, booking the event breaks a constraint. */
  refusesBookingUntilMs = 0;
  /** Called after every commit, before any other task. */
  onChange: () => void = () => undefined;
  /**
   * Called between the sales and the cancellations of a batch: decisions may rest on this state.
   */
  onSold: () => void = () => undefined;
  private readonly server: Server;
  private readonly kernel: Kernel;
  private readonly broken: BrokenClauses;

  constructor(
    server: Server,
    kernel: Kernel,
    eventId: string,
    total: number,
    startsAtMs: number,
    broken: BrokenClauses,
  ) {
    this.server = server;
    this.kernel = kernel;
    this.eventId = eventId;
    this.startsAtMs = startsAtMs;
    this.broken = broken;
    this.rows = {
      epoch: 0,
      batch: 0,
      total,
      status: "scheduled",
      capacity: total,
      available: total,
      tickets: new Map(),
      pending: new Map(),
      booked: new Map(),
    };
  }

  get active(): TicketRow[] {
    return [...this.rows.tickets.values()].filter((row) => row.cancelledAtMs === undefined);
  }
  get unbooked(): number {
    let sum = 0;
    for (const row of this.rows.pending.values()) sum += row.quantity;
    return sum;
  }
  ticketsOf(transactionId: string): TicketRow[] {
    return [...this.rows.tickets.values()].filter(
      (ticket) => ticket.transactionId === transactionId,
    );
  }
  private ticketsOfPurchase({ transactionId, userId }: PurchaseKey): TicketRow[] {
    return this.ticketsOf(transactionId).filter((ticket) => ticket.userId === userId);
  }
  replace(rows: Rows): void {
    this.rows = rows;
    this.onChange();
  }

  takeEpoch(done: (epoch: number) => void): void {
    this.workerRow.take(() => {
      this.nextEpoch();
      const { epoch } = this.rows;
      this.workerRow.free();
      done(epoch);
    });
  }

  loadEvent(): LoadedEvent {
    const { startsAtMs, rows } = this;
    const times = { startsAtMs, endsAtMs: startsAtMs, clockMs: this.kernel.nowMs };
    return { ...EVENT, ...times, available: rows.available, status: rows.status };
  }

  load(needs: Needs): Loaded {
    const { epoch, batch } = this.rows;
    const sales = needs.purchases.flatMap((keys) => {
      const { transactionId } = keys;
      const tickets = this.ticketsOfPurchase(keys);
      return tickets[0] === undefined
        ? []
        : [{ transactionId, userId: tickets[0].userId, quantity: tickets.length }];
    });
    const tickets = needs.ticketIds.flatMap((ticketId) => {
      const row = this.rows.tickets.get(ticketId);
      return row === undefined
        ? []
        : [{ ticketId, userId: row.userId, cancelled: row.cancelledAtMs !== undefined }];
    });
    const activeTickets = needs.userIds.map((userId) => ({
      userId,
      count: this.active.filter((ticket) => ticket.userId === userId).length,
    }));
    return { epoch, batch, clockMs: this.kernel.nowMs, sales, tickets, activeTickets };
  }

  /** Commits a batch. The statement holds the row lock for `holdMs`. */
  commit(
    ownership: Ownership,
    changes: Changes,
    holdMs: number,
    done: (result: CommitResult) => void,
  ): void {
    const isOwner = (): boolean =>
      (this.broken.epoch === true || this.rows.epoch === ownership.epoch) &&
      (this.broken.batch === true || this.rows.batch === ownership.batch);
    if (this.broken.rowLock === true) {
      if (!isOwner()) return done({ type: "fenced" });
      this.kernel.after(holdMs, "postgres", () => done(this.apply(ownership, changes)));
      return;
    }
    this.workerRow.take(() => {
      if (!isOwner()) {
        this.workerRow.free();
        return done({ type: "fenced" });
      }
      const { generation } = this.server;
      this.kernel.after(holdMs, "postgres", () => {
        const serverReplaced = generation !== this.server.generation;
        const result: CommitResult = serverReplaced
          ? { type: "unknown", error: new Error("connection cut") }
          : this.apply(ownership, changes);
        this.workerRow.free();
        done(result);
      });
    });
  }

  /**
   * Imports a new total and status in one transaction: takes an epoch, books pending rows, sets
   * capacity. Refuses a total below the active tickets.
   */
  change(
    { total, status }: Pick<Rows, "total" | "status">,
    holdMs: number,
    done: () => void,
  ): void {
    this.workerRow.take(() =>
      this.eventRow.take(() => {
        const { generation } = this.server;
        this.kernel.after(holdMs, "postgres", () => {
          const { active, rows } = this;
          const changed = generation === this.server.generation && total >= active.length;
          if (changed) {
            if (this.broken.importEpoch !== true) this.nextEpoch();
            for (const [key, sum] of sumsByBatch(rows.pending.values())) rows.booked.set(key, sum);
            rows.pending.clear();
            rows.total = total;
            rows.status = status;
            rows.capacity = total - active.length;
            rows.available = rows.capacity;
            this.onChange();
          }
          this.eventRow.free();
          this.workerRow.free();
          if (changed) done();
        });
      }),
    );
  }

  readPurchases(keys: readonly PurchaseKey[]): Map<string, Omit<Purchase, "replayed">> {
    return new Map(
      keys.flatMap((one) => {
        const { transactionId } = one;
        const tickets = this.ticketsOfPurchase(one)
          .sort((a, b) => a.ordinal - b.ordinal)
          .map((row) => this.view(row));
        const status = this.rows.pending.get(transactionId)?.status ?? "completed";
        return tickets.length === 0
          ? []
          : [
              [
                transactionId,
                { transactionId, status, eventId: this.eventId, quantity: tickets.length, tickets },
              ] as const,
            ];
      }),
    );
  }
  readTickets(ticketIds: string[]): Map<string, Ticket> {
    const rows = ticketIds.flatMap((id) => this.rows.tickets.get(id) ?? []);
    return new Map(rows.map((ticket) => [ticket.id, this.view(ticket)]));
  }

  readBuyers(after: string, most: number): string[] {
    const ids = [...this.rows.tickets.values()].map(({ userId }) => userId).sort();
    return [...new Set(ids)].filter((userId) => userId > after).slice(0, most);
  }

  private apply({ batch }: Ownership, { sold, cancelled }: Changes): CommitResult {
    const { rows, kernel, broken } = this;
    const duplicate =
      broken.uniqueKey !== true &&
      sold.some(({ transactionId }) => this.ticketsOf(transactionId).length > 0);
    const freed = cancelled.filter(({ ticketId }) => {
      const row = rows.tickets.get(ticketId);
      return row !== undefined && row.cancelledAtMs === undefined && kernel.nowMs < this.startsAtMs;
    });
    const asDecided = freed.length === cancelled.length || broken.counts === true;
    const available =
      rows.available - sold.flatMap(({ ticketIds }) => ticketIds).length + cancelled.length;
    if (available < 0 && broken.availableCheck !== true)
      return { type: "failed", error: sqlError("23514") };
    const started = sold.length > 0 && kernel.nowMs >= this.startsAtMs;
    if (duplicate || !asDecided || started)
      return { type: "failed", error: sqlError(duplicate ? "23505" : "BX001") };
    rows.batch += 1;
    rows.available = available;
    const pending = (transactionId: string, quantity: number): void => {
      const { epoch } = rows;
      rows.pending.set(transactionId, {
        transactionId,
        quantity,
        status: "pending",
        epoch,
        batch: rows.batch,
        createdAtMs: kernel.nowMs,
      });
    };
    for (const { transactionId, userId, ticketIds } of sold) {
      ticketIds.forEach((id, index) =>
        rows.tickets.set(id, {
          id,
          transactionId,
          userId,
          ordinal: index + 1,
          purchasedAtMs: kernel.nowMs,
          cancelledAtMs: undefined,
        }),
      );
      pending(transactionId, -ticketIds.length);
    }
    this.onSold();
    for (const { ticketId } of freed) {
      const row = rows.tickets.get(ticketId);
      if (row !== undefined) row.cancelledAtMs = kernel.nowMs;
    }
    for (const { transactionId } of broken.counts === true ? cancelled : freed)
      pending(transactionId, 1);
    this.onChange();
    const tickets = [...this.readTickets(cancelled.map(({ ticketId }) => ticketId)).values()];
    return { type: "committed", batch: batch + 1, clockMs: kernel.nowMs, cancelled: tickets };
  }

  private nextEpoch(): void {
    this.rows.epoch = Math.max(this.rows.epoch + 1, Math.round(this.kernel.nowMs));
    this.rows.batch = 0;
  }

  private view({ id, transactionId, purchasedAtMs, cancelledAtMs }: TicketRow): Ticket {
    return {
      id,
      eventId: this.eventId,
      ...EVENT,
      eventStatus: this.rows.status,
      transactionId,
      status: cancelledAtMs === undefined ? "active" : "cancelled",
      purchasedAt: new Date(purchasedAtMs).toISOString(),
      cancelledAt: cancelledAtMs === undefined ? null : new Date(cancelledAtMs).toISOString(),
    };
  }
}

const EVENT = { eventName: "Concert", location: "Berlin", eventDate: "2030-01-01" };
