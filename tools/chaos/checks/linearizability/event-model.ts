import { decide, evolve } from "../../../../domain/decide.ts";
import type { EventStatus } from "../../../../domain/event-record.ts";
import { type EventState, type Limits, newEventState } from "../../../../domain/event-state.ts";
import type { EventHistory, ListedTicket } from "./history.ts";
import { type Effect, type Observation, type Placement, refusedStatus } from "./placements.ts";

/** The `domain/` state of one event, with steps that can be undone. */
export class EventModel {
  readonly state: EventState;
  total: number;
  private readonly limits: Limits;
  private readonly toleranceMs: number;
  private readonly scarce: boolean;
  /** Tickets of each customer, active and cancelled. */
  private readonly held = new Map<string, number>();
  /** What imports have replaced. */
  private readonly replaced: { total: number; status: EventStatus }[] = [];

  /**
   * `scarce: false` gives every event endless places, and leaves imports out, so that customers do
   * not meet.
   */
  constructor(history: EventHistory, placements: readonly Placement[], scarce: boolean) {
    const { total, limits, initial = [], startsAtMs, clockToleranceMs } = history;
    this.total = total;
    this.limits = limits;
    this.scarce = scarce;
    this.toleranceMs = clockToleranceMs ?? 0;
    const active = initial.filter(({ cancelled }) => !cancelled);
    this.state = newEventState(
      startsAtMs ?? Infinity,
      scarce ? total - active.length : Infinity,
      history.status,
    );
    const { sales, tickets, activeTickets } = this.state;
    for (const placement of placements) {
      const { user } = placement;
      activeTickets.set(user, 0);
      const command = placement.kind === "effect" ? placement.command : commandOf(placement);
      if (command?.type === "CancelTicket") tickets.set(command.ticketId, "absent");
    }
    for (const { id, user: userId, transaction, cancelled } of initial) {
      const quantity = (sales.get(transaction)?.quantity ?? 0) + 1;
      sales.set(transaction, { userId, quantity });
      tickets.set(id, { userId, cancelled });
      this.held.set(userId, (this.held.get(userId) ?? 0) + 1);
      if (!cancelled) activeTickets.set(userId, (activeTickets.get(userId) ?? 0) + 1);
    }
  }

  /** Applies an effect. False if the state does not allow it. */
  apply({ command, start, tickets, user }: Effect): boolean {
    const { state } = this;
    if (command.type === "Import") {
      const active = this.total - state.available;
      if (command.total < active) return false;
      this.replaced.push({ total: this.total, status: state.status });
      state.status = command.status ?? state.status;
      this.total = command.total;
      state.available = command.total - active;
      return true;
    }
    // The earliest time of the interval: an effect that was late at all times was late then too.
    const now = this.scarce ? state : { ...state, status: "scheduled" as const };
    const decision = decide(now, command, start - this.toleranceMs, this.limits);
    if (decision.type !== "accept") return false;
    evolve(state, decision.fact);
    for (const id of tickets) state.tickets.set(id, { userId: user, cancelled: false });
    if (command.type === "BuyTickets") this.hold(user, command.quantity);
    return true;
  }

  /** Takes back the effect that was applied last. */
  undo({ command, tickets, user }: Effect): void {
    const { state } = this;
    switch (command.type) {
      case "Import": {
        const { total, status } = this.replaced.pop() ?? {
          total: this.total,
          status: state.status,
        };
        state.available += total - this.total;
        this.total = total;
        state.status = status;
        return;
      }
      case "BuyTickets":
        state.available += command.quantity;
        state.sales.delete(command.transactionId);
        this.activate(user, -command.quantity);
        for (const id of tickets) state.tickets.set(id, "absent");
        this.hold(user, -command.quantity);
        return;
      case "CancelTicket":
        state.available -= 1;
        state.tickets.set(command.ticketId, { userId: user, cancelled: false });
        this.activate(user, 1);
        return;
      default:
        command satisfies never;
    }
  }

  /** Tells whether an answer is the right one in the present state. */
  holds(item: Observation): boolean {
    const { reads, start, end, user } = item;
    if (reads.type === "list") return this.isExact(user, reads.tickets);
    const { command, refused } = reads;
    if (command.type === "Import") return this.total - this.state.available > command.total;
    const nowMs = refused.code === "EVENT_OVER" ? end + this.toleranceMs : start - this.toleranceMs;
    const { state } = this;
    const status = this.scarce ? state.status : (refusedStatus(item) ?? "scheduled");
    const decision = decide({ ...state, status }, command, nowMs, this.limits);
    if (!this.scarce && refused.code === "EVENT_SOLD_OUT") return decision.type === "accept";
    if (decision.type !== "refuse" || decision.refusal.code !== refused.code) return false;
    const { available, active } = decision.refusal.data ?? {};
    return (
      (refused.available === undefined || available === refused.available) &&
      (refused.active === undefined || active === refused.active)
    );
  }

  private isExact(user: string, listed: readonly ListedTicket[]): boolean {
    const distinct = new Set(listed.map(({ id }) => id)).size;
    if (distinct !== listed.length || distinct !== (this.held.get(user) ?? 0)) return false;
    return listed.every(({ id, cancelled }) => {
      const ticket = this.state.tickets.get(id);
      return (
        ticket !== undefined &&
        ticket !== "absent" &&
        ticket.userId === user &&
        (cancelled === undefined || ticket.cancelled === cancelled)
      );
    });
  }

  private hold(user: string, more: number): void {
    this.held.set(user, (this.held.get(user) ?? 0) + more);
  }
  private activate(user: string, more: number): void {
    const { activeTickets } = this.state;
    activeTickets.set(user, (activeTickets.get(user) ?? 0) + more);
  }
}

function commandOf({ reads }: Observation) {
  return reads.type === "refusal" ? reads.command : undefined;
}
