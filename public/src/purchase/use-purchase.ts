import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Code } from "../api/problem.ts";
import type { Event } from "../api/types.ts";
import { useStore } from "../session/store.ts";
import { type Purchase, createPurchase } from "./order.ts";
import type { OrderState } from "./order-state.ts";

/** Purchases outlive the page that shows them, so that navigation does not order twice. */
const purchases = new Map<string, Purchase>();

/** Refusals that know more of the event than a cached answer, which may be two seconds old. */
const STOPPED: Partial<Record<Code, Event["status"]>> = {
  EVENT_CANCELLED: "cancelled",
  EVENT_POSTPONED: "postponed",
};

export type FollowedPurchase = Purchase & { order: OrderState };

export function usePurchase(userId: string, eventId: string): FollowedPurchase {
  const name = `${userId} ${eventId}`;
  let purchase = purchases.get(name);
  if (purchase === undefined) purchases.set(name, (purchase = createPurchase(userId, eventId)));
  const order = useStore(purchase.state);
  const queries = useQueryClient();
  const stopped = order.is === "refused" ? STOPPED[order.problem.code] : undefined;
  useEffect(() => {
    if (order.is !== "bought" && order.is !== "refused") return;
    void queries.invalidateQueries({ queryKey: ["mine"] });
    const queryKey = ["event", eventId];
    if (stopped === undefined) void queries.invalidateQueries({ queryKey });
    else queries.setQueryData<Event>(queryKey, (event) => event && { ...event, status: stopped });
  }, [order.is, stopped, queries, eventId]);
  return { ...purchase, order };
}
