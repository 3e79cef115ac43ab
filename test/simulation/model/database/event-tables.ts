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
} from "../../../../services/purchasing/worker/ports.ts";
import { SALE_LIMITS } from "../../../../lib/database/session-settings.ts";
import type { Kernel } from "../kernel.ts";
import {
  type BrokenClauses,
  type EventChange,
  RowLock,
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
   * Gets the number of sales, and the time that they got.
   */
  onSold: (sold: number, atMs: number) => void = () => undefined;
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
    this.broken = broken;
    this.rows = {
      epoch: 0,
      batch: 0,
      total,
      status: "scheduled",
      startsAtMs,
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
  private ticketsOfPurchase(of: PurchaseKey): TicketRow[] {
    return this.ticketsOf(of.transactionId).filter(({ userId }) => userId === of.userId);
  }
  replace(rows: Rows): void {
    this.rows = rows;
    this.onChange();
  }

  takeEpoch(done: (epoch: number) => void, fail: (error: Error) => void): void {
    const granted = (): void => {
      const epoch = this.nextEpoch();
      this.workerRow.free();
      done(epoch);
    };
    const { kernel, workerRow } = this;
    workerRow.take(granted, () => fail(sqlError("55P03")));
    kernel.after(SALE_LIMITS.lock_timeout, "postgres", () => workerRow.stopWaiting(granted));
  }

  /** Models TAKE_EPOCHS. Undefined: the row is locked. */
  takeFreeEpoch(): number | undefined {
    return this.workerRow.isHeld ? undefined : this.nextEpoch();
  }

  loadEvent(): LoadedEvent {
    const { rows } = this;
    const { startsAtMs: endsAtMs } = rows;
    const times = { startsAtMs: endsAtMs, endsAtMs, clockMs: this.kernel.nowMs };
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

  isOwner({ epoch, batch }: Ownership): boolean {
    const { broken, rows } = this;
    return (
      (broken.epoch === true || rows.epoch === epoch) &&
      (broken.batch === true || rows.batch === batch)
    );
  }

  /**
   * Imports a new total, status and start in one transaction: takes an epoch, books pending rows,
   * sets capacity. Refuses a total below the active tickets.
   */
  change({ total, status, startsAtMs }: EventChange, holdMs: number, done: () => void): void {
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
            rows.startsAtMs = startsAtMs;
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

  /** The SQLSTATE with which PostgreSQL refuses a batch. Undefined: it can be written. */
  refusalOf({ sold, cancelled }: Changes, started: boolean): string | undefined {
    const { broken } = this;
    if (this.availableAfter(sold, cancelled) < 0 && broken.availableCheck !== true) return "23514";
    if (
      broken.uniqueKey !== true &&
      sold.some(({ transactionId }) => this.ticketsOf(transactionId).length > 0)
    )
      return "23505";
    const asDecided = this.freedBy(cancelled, started).length === cancelled.length;
    if (!asDecided && broken.counts !== true) return "BX001";
    return started && sold.length > 0 ? "BX001" : undefined;
  }

  /** Writes a batch that was not refused. `atMs`: the time that its rows get. */
  write(
    { batch }: Ownership,
    { sold, cancelled }: Changes,
    { atMs, started }: { atMs: number; started: boolean },
  ): CommitResult {
    const { rows, broken } = this;
    const freed = this.freedBy(cancelled, started);
    const available = this.availableAfter(sold, cancelled);
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
        createdAtMs: atMs,
      });
    };
    for (const { transactionId, userId, ticketIds } of sold) {
      ticketIds.forEach((id, index) =>
        rows.tickets.set(id, {
          id,
          transactionId,
          userId,
          ordinal: index + 1,
          purchasedAtMs: atMs,
          cancelledAtMs: undefined,
        }),
      );
      pending(transactionId, -ticketIds.length);
    }
    this.onSold(sold.length, atMs);
    for (const { ticketId } of freed) {
      const row = rows.tickets.get(ticketId);
      if (row !== undefined) row.cancelledAtMs = atMs;
    }
    for (const { transactionId } of broken.counts === true ? cancelled : freed)
      pending(transactionId, 1);
    this.onChange();
    const tickets = [...this.readTickets(cancelled.map(({ ticketId }) => ticketId)).values()];
    return { type: "committed", batch: batch + 1, clockMs: atMs, cancelled: tickets };
  }

  private availableAfter(sold: Changes["sold"], cancelled: Changes["cancelled"]): number {
    const tickets = sold.flatMap(({ ticketIds }) => ticketIds).length;
    return this.rows.available - tickets + cancelled.length;
  }
  private freedBy(cancelled: Changes["cancelled"], started: boolean): Changes["cancelled"] {
    return cancelled.filter(({ ticketId }) => {
      const row = this.rows.tickets.get(ticketId);
      return !started && row !== undefined && row.cancelledAtMs === undefined;
    });
  }

  private nextEpoch(): number {
    this.rows.epoch = Math.max(this.rows.epoch + 1, Math.round(this.kernel.nowMs));
    this.rows.batch = 0;
    return this.rows.epoch;
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
