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

/** A worker's notice to readers. `settled`: takes back the one of this id. */
export type CopiesDoubted = { id: number; settled?: boolean };

/** The field of a transaction's event: half of the id is as unique, and shorter. */
export function transactionField(transactionId: string): string {
  return `t:${transactionId.slice(0, 32)}`;
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
 * Writes what one event has sold: a copy of each ticket and transaction, and the fields of their
 * customers. KEYS[1]: the event's watermark key. ARGV: expiry
 * of tickets and of transactions (ms since 1970), now, run_id, event id, then the texts that copies
 * share: up to the customer, of a ticket after its id, of a transaction after its id. Then of each
 * sale: customer, transaction id, number of tickets, ticket ids.
 *
 * A key is new, as its id is, or holds something newer: nothing is compared. Returns the customers
 * without a list of this run. Their hashes are no keys of one slot: copies need one Redis
 * (ADR-0014).
 */
export const ADD_SALES = `
  local unlisted = {}
  local at = 9
  while ARGV[at] do
    local customer, transaction, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
    local owned = ARGV[6] .. customer .. '","value":{"transactionId":"' .. transaction .. '",'
    local fields = { "t:" .. string.sub(transaction, 1, 32), ARGV[5] }
    for place = at + 3, at + 2 + count do
      local ticket = ARGV[place]
      redis.call("SET", KEYS[1] .. ":" .. ticket, owned .. '"id":"' .. ticket .. ARGV[7],
        "NX", "PXAT", ARGV[1])
      fields[#fields + 1] = ticket
      fields[#fields + 1] = ARGV[5]
    end
    redis.call("SET", "event_ticket_transaction:{" .. ARGV[5] .. "}:" .. transaction, owned .. ARGV[8] .. count .. "}}",
      "NX", "PXAT", ARGV[2])
    local hash = "user_tickets:" .. customer
    redis.call("HSET", hash, unpack(fields))
    if redis.call("PTTL", hash) < ARGV[1] - ARGV[3] then
      redis.call("PEXPIREAT", hash, ARGV[1])
    end
    if redis.call("HGET", hash, "${LIST_RUN_FIELD}") ~= ARGV[4] then
      unlisted[#unlisted + 1] = customer
    end
    at = at + 3 + count
  end
  return unlisted`;

/**
 * Adds fields to a customer's hash. KEYS[1]: the hash. ARGV: now and expiry (ms since 1970), then
 * field and value of each. Never shortens the life of the hash.
 */
const ADD_FIELDS = `
  redis.call("HSET", KEYS[1], unpack(ARGV, 3))
  if redis.call("PTTL", KEYS[1]) < ARGV[2] - ARGV[1] then
    redis.call("PEXPIREAT", KEYS[1], ARGV[2])
  end`;

/** The call that adds fields, each with its value, to a customer's hash. */
export function addFields(
  userId: string,
  expiresAtMs: number,
  fields: readonly string[],
): ScriptCall {
  return {
    name: "addCustomerFields",
    lua: ADD_FIELDS,
    keys: [customerKey(userId)],
    args: [Date.now(), expiresAtMs, ...fields],
  };
}
