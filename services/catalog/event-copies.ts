import { createHash, randomUUID } from "node:crypto";
import type { EventRecord } from "../../domain/event-record.ts";
import { availableKey, GENERATION_KEY, writeCopies } from "../../mixins/kept-copies.ts";
import type { RedisClient } from "../../mixins/redis.ts";

const DAY_MS = 86_400_000;

/** What an event has to sell after its import, as of the epoch that the import took. */
export type Left = { available: number; epoch: number };

/** However rarely something is imported, every copy is read anew this often. */
export const GENERATION_MS = 600_000;

const DELETE_AT_ONCE = 1_000;
const DOUBTFUL_MS = 60_000;

export function eventKey(eventId: string): string {
  return `event:{${eventId}}`;
}

/** Of one fixed length, whatever is searched for. */
export function pageKey(question: string): string {
  return `catalog:page:${createHash("sha256").update(question).digest("base64url")}`;
}

/**
 * Before events are changed: should this process die after the commit and before the copies are renewed, what they say of the catalogue as it was is
 * fresh no longer than a minute. Never rejects.
 */
export async function expireSoon(redis: RedisClient, eventIds: readonly string[]): Promise<void> {
  try {
    await Promise.all([
      redis.set(GENERATION_KEY, randomUUID(), "PX", DOUBTFUL_MS),
      ...eventIds.map((id) => redis.pexpire(availableKey(id), DOUBTFUL_MS, "LT")),
    ]);
  } catch {
    // Said by the connection itself, once per outage.
  }
}

/** The copies of transactions that an import has booked say "pending" no longer than this. Never rejects. */
export async function forgetTransactions(redis: RedisClient, eventId: string, transactionIds: readonly string[]): Promise<void> {
  try {
    for (let start = 0; start < transactionIds.length; start += DELETE_AT_ONCE) {
      const ids = transactionIds.slice(start, start + DELETE_AT_ONCE);
      await redis.del(...ids.map((id) => `event_ticket_transaction:{${eventId}}:${id}`));
    }
  } catch {
    // They expire within a minute.
  }
}

/** After the import has committed: no page and no event that was read before is fresh from now on. Never rejects. */
export async function renewPages(redis: RedisClient): Promise<void> {
  try {
    await redis.set(GENERATION_KEY, randomUUID(), "PX", GENERATION_MS);
  } catch {
    // Said by the connection itself, once per outage.
  }
}

/**
 * After the import has changed an event: forgets its copy and, where the change took the epoch, writes what is left under it. Never rejects: while
 * Redis is away the copies are not trusted or expire by themselves.
 */
export async function renewCopies(redis: RedisClient, eventId: string, record: EventRecord, left?: Left): Promise<void> {
  try {
    await redis.del(eventKey(eventId));
    if (left === undefined) return;
    const expiresAtMs = Math.max(Date.parse(record.endsAt), Date.now()) + DAY_MS;
    const copy = { key: availableKey(eventId), value: { available: left.available } };
    await writeCopies(redis, [copy], { epoch: left.epoch, batch: 0 }, expiresAtMs);
  } catch {
    // Said by the connection itself, once per outage.
  }
}
