import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useStore } from "../session/store.ts";
import { type Purchase, createPurchase } from "./order.ts";
import type { PurchaseState } from "./order-state.ts";

/** Orders outlive the page that shows them: going back and forth does not order twice. */
const purchases = new Map<string, Purchase>();

export function usePurchase(userId: string, eventId: string): Purchase & { now: PurchaseState } {
  const name = `${userId} ${eventId}`;
  let purchase = purchases.get(name);
  if (purchase === undefined) purchases.set(name, (purchase = createPurchase(userId, eventId)));
  const now = useStore(purchase.state);
  const queries = useQueryClient();
  useEffect(() => {
    if (now.is !== "bought" && now.is !== "refused") return;
    void queries.invalidateQueries({ queryKey: ["mine"] });
    void queries.invalidateQueries({ queryKey: ["event", eventId] });
  }, [now.is, queries, eventId]);
  return { ...purchase, now };
}
