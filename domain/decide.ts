import type {
  BuyTickets,
  CancelTicket,
  Command,
  Decision,
  EventState,
  Fact,
  Limits,
} from "./event-state.ts";
import type { RefusalCode, RefusalData } from "./refusal.ts";

/**
 * Decides what a command would change. Pure: reads no clock, changes nothing. The order of the
 * checks is part of the contract: replay, key used for another quantity, event cancelled or
 * postponed, over, limit per customer, sold out, sold. A refusal binds nothing.
 *
 * `nowMs` is PostgreSQL's clock. Throws if the state lacks what the command needs, because a
 * decision without it would be a guess.
 */
export function decide(
  state: EventState,
  command: Command,
  nowMs: number,
  limits: Limits,
): Decision {
  switch (command.type) {
    case "BuyTickets":
      return decidePurchase(state, command, nowMs, limits);
    case "CancelTicket":
      return decideCancellation(state, command, nowMs);
    default:
      return command satisfies never;
  }
}

function decidePurchase(
  state: EventState,
  command: BuyTickets,
  nowMs: number,
  limits: Limits,
): Decision {
  const earlier = state.sales.get(command.transactionId);
  if (earlier !== undefined)
    return earlier.quantity === command.quantity
      ? { type: "replay" }
      : refuse("IDEMPOTENCY_KEY_REUSED");
  if (state.status === "cancelled") return refuse("EVENT_CANCELLED");
  if (state.status === "postponed") return refuse("EVENT_POSTPONED");
  if (nowMs >= state.startsAtMs) return refuse("EVENT_OVER");
  const active = state.activeTickets.get(command.userId);
  if (active === undefined)
    throw new Error("The customer's active tickets were not loaded before deciding");
  if (active + command.quantity > limits.ticketsPerCustomerMax)
    return refuse("PURCHASE_LIMIT_REACHED", { limit: limits.ticketsPerCustomerMax, active });
  if (state.available < command.quantity)
    return refuse("EVENT_SOLD_OUT", { available: Math.max(0, state.available) });
  const { transactionId, userId, quantity } = command;
  return { type: "accept", fact: { type: "TicketsSold", transactionId, userId, quantity } };
}

function decideCancellation(state: EventState, command: CancelTicket, nowMs: number): Decision {
  const ticket = state.tickets.get(command.ticketId);
  if (ticket === undefined) throw new Error("The ticket was not loaded before deciding");
  // Another customer's ticket is refused like an unknown one, so that its existence is not
  // revealed.
  if (ticket === "absent" || ticket.userId !== command.userId) return refuse("TICKET_NOT_FOUND");
  if (ticket.cancelled) return { type: "replay" };
  if (nowMs >= state.startsAtMs) return refuse("EVENT_OVER");
  const { transactionId, userId, ticketId } = command;
  return { type: "accept", fact: { type: "TicketCancelled", transactionId, userId, ticketId } };
}

/** Applies a fact to the state, in place: a state holds thousands of entries and has one owner. */
export function evolve(state: EventState, fact: Fact): void {
  const active = state.activeTickets.get(fact.userId);
  switch (fact.type) {
    case "TicketsSold":
      state.available -= fact.quantity;
      state.sales.set(fact.transactionId, { userId: fact.userId, quantity: fact.quantity });
      if (active !== undefined) state.activeTickets.set(fact.userId, active + fact.quantity);
      return;
    case "TicketCancelled":
      state.available += 1;
      state.tickets.set(fact.ticketId, { userId: fact.userId, cancelled: true });
      if (active !== undefined) state.activeTickets.set(fact.userId, active - 1);
      return;
    default:
      fact satisfies never;
  }
}

/**
 * Forgets the oldest entries beyond `keptMax` of each kind. The worker loads them again if needed.
 */
export function forgetOldest(state: EventState, keptMax: number): void {
  for (const known of [state.sales, state.tickets, state.activeTickets])
    for (const key of known.keys()) {
      if (known.size <= keptMax) break;
      known.delete(key);
    }
}

function refuse(code: RefusalCode, data?: RefusalData): Decision {
  return { type: "refuse", refusal: data === undefined ? { code } : { code, data } };
}
