import type { Version } from "./availability-cache.ts";

/** What an event has to sell, as of its worker's batch or of an import (batch 0); never below 0. */
export type AvailabilityUpdate = Version & { eventId: string; available: number };

/** Tells every gateway `{items: LeftNow[]}`. It may be lost, late or doubled: the stamps say what is newer, and gateways look for themselves. */
export const AVAILABILITY_CHANGED = "availability.changed";

export type AvailabilityChanged = { items: AvailabilityUpdate[] };

/** No event is heard of more often than four times a second. */
export const AVAILABILITY_PACE_MS = 250;

export function isOlderVersion(one: Version, other: Version): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.batch < other.batch);
}
