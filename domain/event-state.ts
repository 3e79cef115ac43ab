import type { EventStatus } from "./event-record.ts";
import type { Refusal } from "./refusal.ts";

/**
 * Buys all or none of `quantity` tickets, once per `transactionId`, which is derived from the
 * buyer's key.
 */
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

/**
 * `replay`: the command was executed before under the same transaction id. The caller gets the
 * earlier answer again.
 */
export type Decision =
  { type: "accept"; fact: Fact } | { type: "replay" } | { type: "refuse"; refusal: Refusal };

export type KnownSale = { userId: string; quantity: number };
export type KnownTicket = { userId: string; cancelled: boolean };

/**
 * What a worker knows of its event. `sales`, `tickets` and `activeTickets` hold only what was
 * loaded or decided under the present epoch. What a command needs and is missing here must be
 * loaded before `decide`. A transaction that was looked up and not found is missing from `sales`. A
 * customer without tickets has a count of 0.
 */
export type EventState = {
  readonly startsAtMs: number;
  /** Places to sell now. A restored backup can make it negative; then nothing is sold. */
  available: number;
  status: EventStatus;
  readonly sales: Map<string, KnownSale>;
  readonly tickets: Map<string, KnownTicket | "absent">;
  readonly activeTickets: Map<string, number>;
};

export type Limits = { ticketsPerCustomerMax: number };

export function newEventState(
  startsAtMs: number,
  available: number,
  status: EventStatus = "scheduled",
): EventState {
  return {
    startsAtMs,
    available,
    status,
    sales: new Map(),
    tickets: new Map(),
    activeTickets: new Map(),
  };
}
