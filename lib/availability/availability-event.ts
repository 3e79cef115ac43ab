import type { Version } from "./availability-cache.ts";

/** Availability at a version, never below 0. An import has batch 0. */
export type AvailabilityUpdate = Version & { eventId: string; available: number };

/**
 * Name of the broadcast to all gateways, `{ items: AvailabilityUpdate[] }`. It may be lost, late or
 * repeated: versions tell which value is newer, and gateways read the availability themselves at
 * intervals.
 */
export const AVAILABILITY_CHANGED = "availability.changed";

export type AvailabilityChanged = { items: AvailabilityUpdate[] };

/** An event is broadcast at most four times a second. */
export const AVAILABILITY_PACE_MS = 250;

export function isOlderVersion(one: Version, other: Version): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.batch < other.batch);
}
