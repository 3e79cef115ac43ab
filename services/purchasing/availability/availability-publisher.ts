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
 * Tells the gateways what the events of this node have left, all in one message four times a second at most, so that a rush on one event and a thousand
 * events on sale cost the same. That an event is sold out waits for nothing.
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
