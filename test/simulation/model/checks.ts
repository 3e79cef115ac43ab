import type { EventStatus } from "../../../domain/event-record.ts";
import type { BuyTickets, CancelTicket } from "../../../domain/event-state.ts";
import { availableKey, readAvailable } from "../../../lib/availability/availability-cache.ts";
import type { Outcome } from "../../../services/purchasing/worker/ports.ts";
import type { EventTables } from "./database/event-tables.ts";
import { CUSTOMER_LIMIT, type World } from "./world.ts";

type Sold = { kind: "ok"; ticketIds: string } | { kind: "refused" } | { kind: "unknown" };
type Moment = {
  atMs: number;
  available: number;
  status: EventStatus;
  startsAtMs: number;
  activeByUser: Map<string, number>;
};
const WRONG_MAX = 5;

/** Checks the invariants after every commit, at every answer, and at the end of a history. */
export class Checks {
  readonly violations: string[] = [];
  private readonly world: World;
  private readonly answers = new Map<string, Sold[]>();
  private readonly moments = new Map<EventTables, Moment[]>();
  /** Tickets that their owner has seen (I9). */
  private readonly shown = new Map<string, string>();
  /** Answers from before this instant prove nothing: the rows are those of a backup. */
  private restoredAtMs = -1;

  constructor(world: World) {
    this.world = world;
    for (const event of world.database.events.values()) {
      event.onSold = (sold, atMs) => {
        this.record(event);
        if (sold > 0 && atMs >= event.rows.startsAtMs)
          this.fail("tickets were sold after the start");
      };
      event.onChange = () => this.afterCommit(event);
      event.onChange();
    }
    world.redis.onOlderCopy = (key) => this.fail(`I4: an older copy replaced ${key}`);
    world.queue.acknowledged = ({ eventId, epoch, batch }) => {
      const { pending } = world.database.event(eventId).rows;
      const named = [...pending.values()].filter(
        (row) => row.epoch === epoch && row.batch === batch && row.status === "pending",
      );
      if (named.some(({ createdAtMs }) => !this.before(createdAtMs)))
        this.fail("F10: a message was acknowledged before its transactions were booked");
    };
  }

  fail(what: string): void {
    if (this.violations.length < WRONG_MAX)
      this.violations.push(`${Math.round(this.world.kernel.nowMs)} ms: ${what}`);
  }

  /** Called when the backup is restored. */
  restored(): void {
    this.restoredAtMs = this.world.kernel.nowMs;
    this.shown.clear();
    for (const answers of this.answers.values()) answers.splice(0, Infinity, { kind: "unknown" });
  }

  purchase(
    event: EventTables,
    command: BuyTickets,
    startedMs: number,
    soldBefore: boolean,
    outcome: Outcome,
  ): void {
    const answers = this.answers.get(command.transactionId) ?? [];
    this.answers.set(command.transactionId, answers);
    if (!outcome.ok) {
      const unknown = outcome.refusal.code === "OUTCOME_UNKNOWN";
      answers.push({ kind: unknown ? "unknown" : "refused" });
      if (!unknown && !this.before(startedMs))
        this.refusal(event, command, startedMs, soldBefore, outcome.refusal.code);
      return;
    }
    if (!("tickets" in outcome.value))
      return this.fail("the answer to a purchase is a single ticket");
    if (this.before(startedMs)) return void answers.push({ kind: "unknown" });
    const ticketIds = outcome.value.tickets.map(({ id }) => id).join();
    const rows = event.ticketsOf(command.transactionId).length;
    if (rows !== command.quantity)
      this.fail(`I2: an acknowledged sale of ${command.quantity} has ${rows} rows`);
    if (answers.some((answer) => answer.kind === "ok" && answer.ticketIds !== ticketIds))
      this.fail("I2: one key has two different answers");
    answers.push({ kind: "ok", ticketIds });
    for (const { id } of outcome.value.tickets) this.shown.set(id, event.eventId);
  }

  cancellation(
    event: EventTables,
    { ticketId }: CancelTicket,
    startedMs: number,
    outcome: Outcome,
  ): void {
    if (this.before(startedMs)) return;
    const row = event.rows.tickets.get(ticketId);
    if (outcome.ok) {
      if (row?.cancelledAtMs === undefined)
        this.fail("I3: an acknowledged cancellation has no row");
      return;
    }
    const { code } = outcome.refusal;
    if (code === "EVENT_OVER" && !this.hadStarted(event, startedMs))
      this.fail("EVENT_OVER was answered before the start");
    if (code === "TICKET_NOT_FOUND" && row !== undefined)
      this.fail("TICKET_NOT_FOUND was answered for a ticket that exists");
  }

  /** Checks the final state, after a quiet period. */
  checkFinalState(): void {
    const { database, queue } = this.world;
    for (const event of database.events.values()) {
      if (event.rows.pending.size > 0)
        this.fail(`I7: ${event.rows.pending.size} rows were never booked`);
      this.copies(event);
      for (const [transactionId, answers] of this.answers)
        if (
          answers.every(({ kind }) => kind === "refused") &&
          event.ticketsOf(transactionId).length > 0
        )
          this.fail(`I2: ${transactionId} was refused and has rows`);
    }
    for (const [id, eventId] of this.shown)
      if (!database.event(eventId).rows.tickets.has(id))
        this.fail(`I9: ${id} is missing from its owner's list`);
    if (!queue.empty)
      this.fail(
        `I7: ${queue.ready.length} messages wait, ${queue.unacknowledged} are unacknowledged`,
      );
    if (queue.dead.length > 0) this.fail(`I7: ${queue.dead.length} dead letters`);
  }

  private before(atMs = Infinity): boolean {
    return atMs <= this.restoredAtMs;
  }

  private copies({ eventId, rows, active }: EventTables): void {
    const { redis } = this.world;
    if (redis.expiresWithinAMinute(availableKey(eventId))) return;
    const copied = readAvailable(redis.data.get(availableKey(eventId)), redis.runId);
    const free = rows.total - active.length;
    if (copied !== undefined && copied !== free)
      this.fail(`I4: Redis has ${copied} available for event ${eventId}, PostgreSQL ${free}`);
  }

  private refusal(
    event: EventTables,
    command: BuyTickets,
    startedMs: number,
    soldBefore: boolean,
    code: string,
  ): void {
    const { userId, quantity } = command;
    if (code === "TRY_AGAIN" && event.ticketsOf(command.transactionId).length > 0)
      this.fail(`I11: TRY_AGAIN was answered for the sold key ${command.transactionId}`);
    if (soldBefore && code !== "IDEMPOTENCY_KEY_REUSED")
      this.fail(`I2: a retry of a sale was answered ${code}`);
    if (
      code === "EVENT_SOLD_OUT" &&
      !this.during(event, startedMs, ({ available }) => available < quantity)
    )
      this.fail(`EVENT_SOLD_OUT was answered while ${quantity} places were free`);
    for (const stopped of ["cancelled", "postponed"] as const)
      if (
        code === `EVENT_${stopped.toUpperCase()}` &&
        !this.during(event, startedMs, ({ status }) => status === stopped)
      )
        this.fail(`${code} was answered for an event that was not ${stopped}`);
    const overLimit = ({ activeByUser }: Moment): boolean =>
      (activeByUser.get(userId) ?? 0) + quantity > CUSTOMER_LIMIT;
    if (code === "PURCHASE_LIMIT_REACHED" && !this.during(event, startedMs, overLimit))
      this.fail(`${userId} was refused below the limit`);
    if (code === "EVENT_OVER" && !this.hadStarted(event, startedMs))
      this.fail("EVENT_OVER was answered before the start");
    if (code === "EVENT_NOT_FOUND" || code === "TICKET_NOT_FOUND")
      this.fail(`a purchase was answered ${code}`);
  }

  private afterCommit(event: EventTables): void {
    const { active, rows, unbooked } = event;
    const { activeByUser } = this.record(event);
    if (active.length > rows.total)
      this.fail(`I1: ${active.length} active tickets of ${rows.total} places`);
    for (const [userId, count] of activeByUser)
      if (count > CUSTOMER_LIMIT) this.fail(`${userId} holds ${count} tickets`);
    if (rows.capacity + unbooked !== rows.total - active.length)
      this.fail(
        `I4: capacity ${rows.capacity} + unbooked ${unbooked} is not ${rows.total - active.length}`,
      );
    if (rows.available !== rows.total - active.length)
      this.fail(`I12: ${rows.available} can be sold, ${rows.total - active.length} are free`);
    let booked = unbooked;
    for (const quantity of rows.booked.values()) booked += quantity;
    if (booked !== -active.length)
      this.fail(`I5: purchases less cancellations are ${-booked}, active tickets ${active.length}`);
  }

  private record(event: EventTables): Moment {
    const activeByUser = new Map<string, number>();
    const { active } = event;
    for (const { userId } of active) activeByUser.set(userId, (activeByUser.get(userId) ?? 0) + 1);
    const moment = {
      atMs: this.world.kernel.nowMs,
      available: event.rows.total - active.length,
      status: event.rows.status,
      startsAtMs: event.rows.startsAtMs,
      activeByUser,
    };
    const moments = this.moments.get(event) ?? [];
    this.moments.set(event, moments);
    moments.push(moment);
    return moment;
  }

  private hadStarted(event: EventTables, fromMs: number): boolean {
    return this.during(event, fromMs, ({ startsAtMs }) => startsAtMs <= this.world.kernel.nowMs);
  }

  /** Tells whether a condition was true at some instant during the call. */
  private during(event: EventTables, fromMs: number, holds: (moment: Moment) => boolean): boolean {
    const moments = this.moments.get(event) ?? [];
    return moments.some(
      (moment, index) => (moments[index + 1]?.atMs ?? Infinity) >= fromMs && holds(moment),
    );
  }
}
