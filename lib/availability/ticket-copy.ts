import { isOlderVersion, type Version } from "./availability-cache.ts";
import type { ScriptCall } from "../redis/client.ts";

/**
 * A copy of what a customer owns, at the version of its batch. `value` is null while a commit may
 * be changing it: only PostgreSQL knows. `atMs`: the commit, by PostgreSQL's clock.
 */
export type OwnedCopy<T> = Version & { run: string; atMs: number; userId: string; value: T | null };

export function ticketKey(eventId: string, ticketId: string): string {
  return `event_ticket:{${eventId}}:${ticketId}`;
}

export function transactionKey(eventId: string, transactionId: string): string {
  return `event_ticket_transaction:{${eventId}}:${transactionId}`;
}

/** Key of the version from which on the copies of an event's tickets are trusted. */
export function watermarkKey(eventId: string): string {
  return `event_ticket:{${eventId}}`;
}

/** A hash: the events of a customer's tickets and transactions, and their list. */
export function customerKey(userId: string): string {
  return `user_tickets:${userId}`;
}

/** Field of a customer's hash: the complete list, as a reader found it in PostgreSQL. */
export const LIST_FIELD = "list";
/** Field of a customer's hash: the run_id under which the list was written. */
export const LIST_RUN_FIELD = "run";
/** Key of the time until which writes were lost. Lists that were read before it lack tickets. */
export const LOST_KEY = "user_tickets:lost";

/** The field of a transaction's event: half of the id is as unique, and shorter. */
export function transactionField(transactionId: string): string {
  return `t:${transactionId.slice(0, 32)}`;
}

/** The watermark of an event: copies of older versions are not trusted. */
export function watermarkCopy(eventId: string, { epoch, batch }: Version, run: string) {
  return { key: watermarkKey(eventId), text: JSON.stringify({ run, epoch, batch }) };
}

/** Reads a copy. Undefined if it is missing, unreadable or of another run of Redis. */
export function readCopyOf(text: string | null | undefined, run: string): object | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const copy = JSON.parse(text) as { run?: string } | null;
    return copy?.run === run ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** Says whether no write since this version was lost, as far as Redis knows. */
export function isAbove(
  version: Version,
  watermarkText: string | null | undefined,
  run: string,
): boolean {
  const watermark = readCopyOf(watermarkText, run) as Version | undefined;
  return watermark !== undefined && !isOlderVersion(version, watermark);
}

/**
 * Adds fields to a customer's hash. KEYS[1]: the hash. ARGV: run_id, now and expiry (ms since
 * 1970), then field and value of each. Never shortens the life of the hash. Returns 1 if it holds
 * a list of this run.
 */
const ADD_FIELDS = `
  redis.call("HSET", KEYS[1], unpack(ARGV, 4))
  if redis.call("PTTL", KEYS[1]) < ARGV[3] - ARGV[2] then
    redis.call("PEXPIREAT", KEYS[1], ARGV[3])
  end
  return redis.call("HGET", KEYS[1], "${LIST_RUN_FIELD}") == ARGV[1] and 1 or 0`;

/** The call that adds fields, each with its value, to a customer's hash. */
export function addFields(
  userId: string,
  expiresAtMs: number,
  fields: readonly string[],
  run: string,
): ScriptCall {
  return {
    name: "addCustomerFields",
    lua: ADD_FIELDS,
    keys: [customerKey(userId)],
    args: [run, Date.now(), expiresAtMs, ...fields],
  };
}
