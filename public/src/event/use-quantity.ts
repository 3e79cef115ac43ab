import { useState } from "react";
import { useSearchParams } from "wouter";
import { TICKETS_PER_PURCHASE_MAX } from "../api/limits.ts";

/** The chosen number of tickets, at first that of the address. Only the visitor changes it. */
export function useQuantity(): [number, (quantity: number) => void] {
  const [params] = useSearchParams();
  return useState(() => {
    const wanted = Math.trunc(Number(params.get("quantity") ?? 1)) || 1;
    return Math.max(1, Math.min(wanted, TICKETS_PER_PURCHASE_MAX));
  });
}
