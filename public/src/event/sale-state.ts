import { useEffect, useState } from "react";
import type { Event } from "../api/types.ts";

/** Up to this number pages say how many tickets are left. */
const FEW_MAX = 20;
/** Longest time that `setTimeout` can wait. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What an event sells now. The first that is true counts. */
export type SaleState = "cancelled" | "postponed" | "started" | "soldOut" | "few" | "available";

type Sale = Pick<Event, "status" | "startsAt" | "available">;

/** Decides what card and page say of an event. Pure: the clock is an argument. */
export function saleStateOf({ status, startsAt, available }: Sale, nowMs: number): SaleState {
  if (status !== "scheduled") return status;
  if (Date.parse(startsAt) <= nowMs) return "started";
  if (available <= 0) return "soldOut";
  return available <= FEW_MAX ? "few" : "available";
}

export function isForSale(state: SaleState): state is "few" | "available" {
  return state === "few" || state === "available";
}

/** As `saleStateOf`, now. Renders again when the event starts. */
export function useSaleState(event: Sale): SaleState {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const startsInMs = Date.parse(event.startsAt) - nowMs;
  useEffect(() => {
    if (startsInMs <= 0) return undefined;
    const timer = setTimeout(() => setNowMs(Date.now()), Math.min(startsInMs, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  }, [startsInMs]);
  return saleStateOf(event, nowMs);
}
