import { accepted, type Answer } from "../../../domain/refusal.ts";
import {
  type AvailabilityUpdate,
  availableKey,
  readAvailability,
} from "../../../lib/availability/availability-cache.ts";
import { type Database, orRetryLater } from "../../../lib/database/pool.ts";
import { readLeftToSell } from "../../../lib/availability/availability-query.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";

/**
 * Reads the availability of events from PostgreSQL, or from the copies in Redis while
 * PostgreSQL is down, when nothing is sold. Leaves out unknown events. Can refuse with: TRY_AGAIN
 * (PostgreSQL is down and an event has no copy).
 */
export async function readCurrentAvailability(
  database: Database,
  redis: RedisClient,
  eventIds: readonly string[],
): Promise<Answer<{ items: AvailabilityUpdate[] }>> {
  const answer = await orRetryLater(async () => {
    const numbers = await readLeftToSell(database, eventIds);
    return accepted({
      items: numbers.map(({ eventId, available, epoch, batch, status }) => ({
        eventId,
        available,
        epoch,
        batch,
        status,
      })),
    });
  });
  if (answer.ok) return answer;
  const copied = await fromCopies(redis, eventIds).catch(() => []);
  return copied.length === eventIds.length ? accepted({ items: copied }) : answer;
}

async function fromCopies(
  redis: RedisClient,
  eventIds: readonly string[],
): Promise<AvailabilityUpdate[]> {
  const redisRunId = redis.runId();
  if (redisRunId === undefined) return [];
  const texts = await redis.mget(...eventIds.map(availableKey));
  return eventIds.flatMap((eventId, index): AvailabilityUpdate[] => {
    const copy = readAvailability(texts[index], redisRunId);
    return copy === undefined ? [] : [{ eventId, ...copy, available: Math.max(0, copy.available) }];
  });
}
