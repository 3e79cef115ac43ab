import type { ServiceBroker } from "moleculer";
import {
  isOlderVersion,
  AVAILABILITY_CHANGED,
  AVAILABILITY_PACE_MS,
  type AvailabilityUpdate,
} from "../../../lib/availability/availability-event.ts";
import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import { createBatcher } from "../../../lib/concurrency/batcher.ts";
import {
  type Availability,
  writeAvailability,
} from "../../../lib/availability/availability-cache.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import type { Copies } from "../worker/ports.ts";
import { createThrottle } from "../../../lib/concurrency/throttle.ts";

type ClosableCopies = Copies & { close(): void };

/** No buyer waits longer than this for a copy. */
const PATIENCE_TIMEOUT_MS = 150;
/** Events in one write to Redis. */
const EVENTS_MAX = 250;

/**
 * Caches the availability after each batch, so that readers need not query PostgreSQL. A failed
 * write costs readers time, never correctness: it is repaired in the background with the event's
 * newest state.
 */
export function createAvailabilityCacheWriter(
  redis: RedisClient,
  repairEveryMs = 1_000,
  clock: Clock = systemClock,
): ClosableCopies {
  /** The newest of each event that Redis has not taken, and nothing else: an outage may be long. */
  const pendingWrites = new Map<string, Availability>();
  let repair: { cancel(): void } | undefined;
  let closed = false;

  // What many events have committed together goes to Redis together.
  const send = createBatcher(
    async (many: Availability[]) => {
      await writeAvailability(redis, many);
      return many.map(() => undefined);
    },
    { running: Infinity, most: EVENTS_MAX, waitMs: Infinity },
  );

  const write = async (left: Availability): Promise<void> => {
    try {
      await send(left);
      const older = pendingWrites.get(left.eventId);
      if (older !== undefined && !isOlderVersion(left, older)) pendingWrites.delete(left.eventId);
    } catch {
      const older = pendingWrites.get(left.eventId);
      if (older === undefined || isOlderVersion(older, left)) pendingWrites.set(left.eventId, left);
      if (!closed) repair ??= clock.after(repairEveryMs, repairAll);
    }
  };
  const repairAll = (): void => {
    repair = undefined;
    for (const left of [...pendingWrites.values()]) void write(left);
  };

  return {
    async write(left) {
      if (redis.status !== "ready") return void write(left);
      let patience: { cancel(): void } | undefined;
      await Promise.race([
        write(left),
        new Promise<void>((resolve) => (patience = clock.after(PATIENCE_TIMEOUT_MS, resolve))),
      ]);
      patience?.cancel();
    },
    close() {
      closed = true;
      repair?.cancel();
    },
  };
}

/** Events in one message: some 100 KB. */
const ITEMS_MAX = 1_000;

/**
 * Broadcasts the availability of this node's events to the gateways: one message for all, at most
 * four times a second, so that a thousand events cost the same as one. "Sold out" is sent at once.
 */
function createAvailabilityPublisher(broker: ServiceBroker) {
  let changed = new Map<string, AvailabilityUpdate>();
  const pace = createThrottle(AVAILABILITY_PACE_MS, systemClock, () => {
    const items = [...changed.values()];
    changed = new Map();
    for (let start = 0; start < items.length; start += ITEMS_MAX)
      broker
        .broadcast(AVAILABILITY_CHANGED, { items: items.slice(start, start + ITEMS_MAX) })
        // A gateway that misses an update reads the availability itself within seconds.
        .catch(() => undefined);
  });
  return {
    changed({ eventId, epoch, batch, available }: Availability): void {
      const before = changed.get(eventId);
      if (before !== undefined && isOlderVersion({ epoch, batch }, before)) return;
      changed.set(eventId, { eventId, available: Math.max(0, available), epoch, batch });
      pace.schedule(available <= 0);
    },
    close: (): void => pace.stop(),
  };
}

/** Passes on what each batch leaves to sell, to Redis and to the gateways. */
export function createAvailabilityCopies(
  broker: ServiceBroker,
  redis: RedisClient,
): ClosableCopies {
  const publisher = createAvailabilityPublisher(broker);
  const cacheWriter = createAvailabilityCacheWriter(redis);
  return {
    write(left) {
      publisher.changed(left);
      return cacheWriter.write(left);
    },
    close() {
      cacheWriter.close();
      publisher.close();
    },
  };
}
