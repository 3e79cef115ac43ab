import type { Refusal } from "./refusal.ts";

/** All or none of `quantity` tickets, once per `transactionId`, which is derived from the buyer's key. */
export type BuyTickets = {
  type: "BuyTickets";
  transactionId: string;
  userId: string;
  quantity: number;
};
/** Frees one place, once per ticket. */
export type CancelTicket = {
  type: "CancelTicket";
  transactionId: string;
  userId: string;
  ticketId: string;
};
export type Command = BuyTickets | CancelTicket;

export type TicketsSold = {
  type: "TicketsSold";
  transactionId: string;
  userId: string;
  quantity: number;
};
export type TicketCancelled = {
  type: "TicketCancelled";
  transactionId: string;
  userId: string;
  ticketId: string;
};
export type Fact = TicketsSold | TicketCancelled;

/** `replay`: it happened before, under the same transaction id; the earlier answer is given again. */
export type Decision =
  { type: "accept"; fact: Fact } | { type: "replay" } | { type: "refuse"; refusal: Refusal };

export type KnownSale = { userId: string; quantity: number };
export type KnownTicket = { userId: string; cancelled: boolean };

/**
 * What a worker knows of its event. `sales`, `tickets` and `activeTickets` hold only what was loaded or decided since the epoch was taken:
 * what a command needs and what is not here must be loaded before `decide` is asked. A transaction that was looked for and not found is absent
 * from `sales`; a customer without tickets has a count of 0.
 */
export type EventState = {
  readonly startsAtMs: number;
  /** Places to sell now; may be below 0 after a restored backup, then nothing is sold. */
  available: number;
  readonly sales: Map<string, KnownSale>;
  readonly tickets: Map<string, KnownTicket | "absent">;
  readonly activeTickets: Map<string, number>;
};

export type Limits = { ticketsPerCustomerMax: number };

export function newEventState(startsAtMs: number, available: number): EventState {
  return { startsAtMs, available, sales: new Map(), tickets: new Map(), activeTickets: new Map() };
}
