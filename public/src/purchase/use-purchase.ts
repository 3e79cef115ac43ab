import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Code } from "../api/problem.ts";
import type { Event, Ticket } from "../api/types.ts";
import { createStore, useStore } from "../session/store.ts";
import { type Purchase, createPurchase } from "./order.ts";
import type { OrderState } from "./order-state.ts";

/** Purchases outlive the page that shows them, so that navigation does not order twice. */
const purchases = new Map<string, Purchase>();

const nothing = (): void => undefined;
/** Of a visitor who is not signed in. */
const NO_PURCHASE: Purchase = {
  state: createStore<OrderState>({ is: "idle" }),
  tickets: createStore<readonly Ticket[]>([]),
  buy: nothing,
  resume: nothing,
  drop: nothing,
};

/** Refusals that know more of the event than a cached answer, which may be two seconds old. */
const STOPPED: Partial<Record<Code, Event["status"]>> = {
  EVENT_CANCELLED: "cancelled",
  EVENT_POSTPONED: "postponed",
};

export type FollowedPurchase = Omit<Purchase, "tickets"> & {
  order: OrderState;
  tickets: readonly Ticket[];
};

/** Follows the purchases of an event by a user; without a user nothing is bought. */
export function usePurchase(userId: string | undefined, eventId: string): FollowedPurchase {
  const purchase = userId === undefined ? NO_PURCHASE : purchaseOf(userId, eventId);
  const order = useStore(purchase.state);
  const tickets = useStore(purchase.tickets);
  const queries = useQueryClient();
  const stopped = order.is === "refused" ? STOPPED[order.problem.code] : undefined;
  useEffect(() => {
    if (order.is !== "bought" && order.is !== "refused") return;
    void queries.invalidateQueries({ queryKey: ["mine"] });
    const queryKey = ["event", eventId];
    if (stopped === undefined) void queries.invalidateQueries({ queryKey });
    else queries.setQueryData<Event>(queryKey, (event) => event && { ...event, status: stopped });
  }, [order.is, stopped, queries, eventId]);
  return { ...purchase, order, tickets };
}

function purchaseOf(userId: string, eventId: string): Purchase {
  const name = `${userId} ${eventId}`;
  const found = purchases.get(name) ?? createPurchase(userId, eventId);
  purchases.set(name, found);
  return found;
}

/** Takes a cancelled ticket out of what was bought during this visit. */
export function forgetTicket(ticketId: string): void {
  for (const { tickets } of purchases.values())
    if (tickets.get().some(({ id }) => id === ticketId))
      tickets.set(tickets.get().filter(({ id }) => id !== ticketId));
}
