import type { Stamp } from "./availability-cache.ts";

/** What an event has to sell, as of its worker's batch or of an import (batch 0); never below 0. */
export type LeftNow = Stamp & { eventId: string; available: number };

/** Tells every gateway `{items: LeftNow[]}`. It may be lost, late or doubled: the stamps say what is newer, and gateways look for themselves. */
export const AVAILABILITY_CHANGED = "availability.changed";

export type AvailabilityChanged = { items: LeftNow[] };

/** No event is heard of more often than four times a second. */
export const AVAILABILITY_PACE_MS = 250;

export function isOlder(one: Stamp, other: Stamp): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.batch < other.batch);
}
