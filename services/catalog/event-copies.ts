import type { EventRecord } from "../../domain/event-record.ts";
import type { RedisClient } from "../../mixins/redis.ts";
import { availableKey } from "./availability.ts";

const DAY_MS = 86_400_000;

/**
 * KEYS[1]: the copy of what is available. ARGV: the copy's text, epoch, batch, run_id, and when it expires (ms since 1970).
 * Answers 1 when written, 0 where a copy of the same run with a larger or equal (epoch, batch) stands.
 */
const KEEP_LARGER = `
  local old = redis.call("GET", KEYS[1])
  if old then
    local readable, copy = pcall(cjson.decode, old)
    if readable and type(copy) == "table" and copy.run == ARGV[4] then
      local epoch, batch = tonumber(ARGV[2]), tonumber(ARGV[3])
      if copy.epoch > epoch or (copy.epoch == epoch and copy.batch >= batch) then return 0 end
    end
  end
  redis.call("SET", KEYS[1], ARGV[1], "PXAT", ARGV[5])
  return 1`;

/** What an event has to sell after its import, as of the epoch that the import took. */
export type Left = { available: number; epoch: number };

/**
 * After the import has changed an event: forgets its copy and, where the change took the epoch, writes what is left under it. Never throws: while
 * Redis is away the copies are not trusted or expire by themselves.
 */
export async function renewCopies(redis: RedisClient, eventId: string, record: EventRecord, left?: Left): Promise<void> {
  const run = redis.runId();
  if (run === undefined) return;
  try {
    await redis.del(`event:{${eventId}}`);
    if (left === undefined) return;
    const text = JSON.stringify({ available: left.available, epoch: left.epoch, batch: 0, run });
    const expiresAtMs = Math.max(Date.parse(record.endsAt), Date.now()) + DAY_MS;
    await redis.eval(KEEP_LARGER, 1, availableKey(eventId), text, left.epoch, 0, run, expiresAtMs);
  } catch {
    // Said by the connection itself, once per outage.
  }
}
