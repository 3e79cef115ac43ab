import { AsyncLocalStorage } from "node:async_hooks";
import { createHmac, randomFillSync } from "node:crypto";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import type { EventRecord } from "../domain/event-record.ts";

const BYTES = 16;
/** Filled for many ids at once, because 16 random bytes cost nearly as much as 4,096. */
const pool = Buffer.allocUnsafe(256 * BYTES);
let used = pool.length;

/** Returns where the next random bytes begin in the pool. */
function takeRandom(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES;
  return used - BYTES;
}

/**
 * Returns 128 random bits as 32 hexadecimal digits, for ids that are only compared. One flat
 * string: `randomUUID` returns a rope of twenty, which the garbage collector copies while a request
 * waits.
 */
export function randomId(): string {
  const start = takeRandom();
  return pool.toString("hex", start, start + BYTES);
}

/** Returns a UUIDv7 for a ticket sold at an instant. */
export function newTicketId(soldAtMs: number): string {
  const start = takeRandom();
  return uuidv7({ msecs: Math.round(soldAtMs), random: pool.subarray(start, start + BYTES) });
}

/**
 * Derives the id of a purchase, 128 hexadecimal digits. The same key of the same customer for the
 * same event is the same purchase on every node and at any time. `key` comes last, so that no key
 * can imitate another customer or event.
 */
export function purchaseId(secret: string, userId: string, eventId: string, key: string): string {
  return hmac(secret, `buy|${userId}|${eventId}|${key}`);
}

/** Derives the id of a cancellation: a ticket can be cancelled once. */
export function cancellationId(secret: string, ticketId: string): string {
  return hmac(secret, `cancel|${ticketId}`);
}

function hmac(secret: string, text: string): string {
  return createHmac("sha512", secret).update(text).digest("hex");
}

const NAMESPACE = "5f6f3a39-7a31-4d0f-9d0a-0f3a5d1a7c11";

/** Cached because an import needs each record's id five times, and hashing is expensive. */
const known = new WeakMap<Pick<EventRecord, "source" | "sourceId">, string>();

/**
 * Derives an event's id from its record. The same record has the same id in every catalog, so links
 * survive a catalog that is rebuilt from its feeds. Records must not be mutated.
 */
export function eventId(record: Pick<EventRecord, "source" | "sourceId">): string {
  let id = known.get(record);
  if (id === undefined)
    known.set(record, (id = uuidv5(`${record.source}\n${record.sourceId}`, NAMESPACE)));
  return id;
}

const requests = new AsyncLocalStorage<string>();
/** Request ids that are safe in an SQL comment. */
const HARMLESS = /^[\w-]{1,128}$/;

/** Runs `work` for a request, so that its statements carry the request's id. */
export function runForRequest<T>(requestId: string | null | undefined, work: () => T): T {
  return requestId && HARMLESS.test(requestId) ? requests.run(requestId, work) : work();
}

/**
 * Puts the request's id in front of a query as pg takes it, so that pg_stat_activity and the log of
 * slow statements name the request. A prepared statement stays as it is: every other text would be
 * another statement.
 */
export function withRequestId(query: unknown): unknown {
  const requestId = requests.getStore();
  if (requestId === undefined) return query;
  const mark = `/* request=${requestId} */ `;
  if (typeof query === "string") return mark + query;
  const { text, name } = query as { text?: unknown; name?: unknown };
  if (typeof text !== "string" || name !== undefined) return query;
  return { ...(query as object), text: mark + text };
}
