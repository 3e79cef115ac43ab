import type { Version } from "./availability-cache.ts";

/** Availability at a version, never below 0. An import has batch 0. */
export type AvailabilityUpdate = Version & { eventId: string; available: number };

/**
 * Broadcast to every gateway: `{items: AvailabilityUpdate[]}`. It may be lost, late or repeated;
 * gateways compare versions and also read for themselves.
 */
export const AVAILABILITY_CHANGED = "availability.changed";

export type AvailabilityChanged = { items: AvailabilityUpdate[] };

/** Shortest time between two broadcasts of one event. */
export const AVAILABILITY_PACE_MS = 250;

export function isOlderVersion(one: Version, other: Version): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.batch < other.batch);
}
