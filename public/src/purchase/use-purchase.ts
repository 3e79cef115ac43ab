import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useStore } from "../session/store.ts";
import { type Purchase, createPurchase } from "./order.ts";
import type { OrderState } from "./order-state.ts";

/** Purchases outlive the page that shows them, so that navigation does not order twice. */
const purchases = new Map<string, Purchase>();

export type FollowedPurchase = Purchase & { order: OrderState };

export function usePurchase(userId: string, eventId: string): FollowedPurchase {
  const name = `${userId} ${eventId}`;
  let purchase = purchases.get(name);
  if (purchase === undefined) purchases.set(name, (purchase = createPurchase(userId, eventId)));
  const order = useStore(purchase.state);
  const queries = useQueryClient();
  useEffect(() => {
    if (order.is !== "bought" && order.is !== "refused") return;
    void queries.invalidateQueries({ queryKey: ["mine"] });
    void queries.invalidateQueries({ queryKey: ["event", eventId] });
  }, [order.is, queries, eventId]);
  return { ...purchase, order };
}
