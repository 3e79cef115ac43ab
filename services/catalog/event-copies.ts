import type { EventRecord } from "../../domain/event-record.ts";
import { availableKey, writeCopies } from "../../mixins/kept-copies.ts";
import type { RedisClient } from "../../mixins/redis.ts";

const DAY_MS = 86_400_000;

/** What an event has to sell after its import, as of the epoch that the import took. */
export type Left = { available: number; epoch: number };

/**
 * After the import has changed an event: forgets its copy and, where the change took the epoch, writes what is left under it. Never rejects: while
 * Redis is away the copies are not trusted or expire by themselves.
 */
export async function renewCopies(redis: RedisClient, eventId: string, record: EventRecord, left?: Left): Promise<void> {
  try {
    await redis.del(`event:{${eventId}}`);
    if (left === undefined) return;
    const expiresAtMs = Math.max(Date.parse(record.endsAt), Date.now()) + DAY_MS;
    const copy = { key: availableKey(eventId), value: { available: left.available } };
    await writeCopies(redis, [copy], { epoch: left.epoch, batch: 0 }, expiresAtMs);
  } catch {
    // Said by the connection itself, once per outage.
  }
}
