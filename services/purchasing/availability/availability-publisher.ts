import {
  AVAILABILITY_PACE_MS,
  isOlderVersion,
  type AvailabilityUpdate,
} from "../../../lib/availability/availability-event.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import { createThrottle } from "../../../lib/concurrency/throttle.ts";
import type { Availability } from "../../../lib/availability/availability-cache.ts";

/** Events in one message: some 100 KB. */
const ITEMS_MAX = 1_000;

export type AvailabilityPublisher = {
  changed(left: Omit<Availability, "endsAtMs">): void;
  close(): void;
};

/**
 * Broadcasts the availability of this node's events to the gateways: one message for all, at most
 * four times a second, so that a thousand events cost the same as one. "Sold out" is sent at once.
 */
export function createAvailabilityPublisher(
  tell: (items: AvailabilityUpdate[]) => void,
  clock: Clock,
): AvailabilityPublisher {
  let changed = new Map<string, AvailabilityUpdate>();
  const pace = createThrottle(AVAILABILITY_PACE_MS, clock, () => {
    const items = [...changed.values()];
    changed = new Map();
    for (let start = 0; start < items.length; start += ITEMS_MAX)
      tell(items.slice(start, start + ITEMS_MAX));
  });
  return {
    changed({ eventId, epoch, batch, available }) {
      const before = changed.get(eventId);
      if (before !== undefined && isOlderVersion({ epoch, batch }, before)) return;
      changed.set(eventId, { eventId, available: Math.max(0, available), epoch, batch });
      pace.schedule(available <= 0);
    },
    close: () => pace.stop(),
  };
}
