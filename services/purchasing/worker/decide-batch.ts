import { decide, evolve } from "../../../domain/decide.ts";
import type { Decision, EventState, Limits } from "../../../domain/event-state.ts";
import type { Entry } from "./mailbox.ts";
import type {
  CancelledTicket,
  Loaded,
  LoadedEvent,
  Needs,
  Purchase,
  PurchaseKey,
  SoldTickets,
  Ticket,
} from "./ports.ts";

export type DecidedEntry = { entry: Entry; decision: Decision };
export type DecidedBatch = {
  decided: DecidedEntry[];
  sold: SoldTickets[];
  cancelled: CancelledTicket[];
};

/**
 * Lists what must be loaded before these commands can be decided. Transactions are always looked
 * up: an unknown key may have sold under an earlier epoch.
 */
export function needsOf(state: EventState, entries: readonly Entry[]): Needs {
  const purchases = new Map<string, PurchaseKey>();
  const ticketIds = new Set<string>();
  const userIds = new Set<string>();
  for (const { command } of entries) {
    if (command.type === "BuyTickets") {
      if (!state.sales.has(command.transactionId)) purchases.set(command.transactionId, command);
      if (!state.activeTickets.has(command.userId)) userIds.add(command.userId);
    } else if (!state.tickets.has(command.ticketId)) ticketIds.add(command.ticketId);
  }
  return { purchases: [...purchases.values()], ticketIds: [...ticketIds], userIds: [...userIds] };
}

/** Adds what was loaded to the state. What was looked up and not found becomes known as missing. */
export function absorb(state: EventState, needs: Needs, loaded: Loaded): void {
  for (const { transactionId, userId, quantity } of loaded.sales)
    state.sales.set(transactionId, { userId, quantity });
  for (const ticketId of needs.ticketIds) state.tickets.set(ticketId, "absent");
  for (const { ticketId, userId, cancelled } of loaded.tickets)
    state.tickets.set(ticketId, { userId, cancelled });
  for (const userId of needs.userIds) state.activeTickets.set(userId, 0);
  for (const { userId, count } of loaded.activeTickets) state.activeTickets.set(userId, count);
}

/**
 * Decides in order of arrival, each command on the result of those before it. The state is ahead of
 * PostgreSQL until the commit.
 */
export function decideBatch(
  state: EventState,
  entries: readonly Entry[],
  nowMs: number,
  limits: Limits,
  newTicketId: (nowMs: number) => string,
): DecidedBatch {
  const batch: DecidedBatch = { decided: [], sold: [], cancelled: [] };
  for (const entry of entries) {
    const decision = decide(state, entry.command, nowMs, limits);
    batch.decided.push({ entry, decision });
    if (decision.type !== "accept") continue;
    const { fact } = decision;
    evolve(state, fact);
    if (fact.type === "TicketsSold") {
      const ticketIds = Array.from({ length: fact.quantity }, () => newTicketId(nowMs));
      batch.sold.push({ transactionId: fact.transactionId, userId: fact.userId, ticketIds });
    } else
      batch.cancelled.push({
        transactionId: fact.transactionId,
        userId: fact.userId,
        ticketId: fact.ticketId,
      });
  }
  return batch;
}

/** The answer to a sale committed just now. */
export function purchaseOf(
  event: LoadedEvent,
  eventId: string,
  { transactionId, ticketIds }: SoldTickets,
  committedAtMs: number,
): Purchase {
  const purchasedAt = new Date(committedAtMs).toISOString();
  const { eventName, location, eventDate } = event;
  const tickets = ticketIds.map((id): Ticket => {
    return {
      id,
      eventId,
      eventName,
      location,
      eventDate,
      transactionId,
      status: "active",
      purchasedAt,
      cancelledAt: null,
    };
  });
  return {
    transactionId,
    status: "pending",
    eventId,
    quantity: ticketIds.length,
    tickets,
    replayed: false,
  };
}
