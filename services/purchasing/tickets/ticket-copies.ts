import {
  type CopiesDoubted,
  customerKey,
  isAbove,
  LIST_FIELD,
  LIST_RUN_FIELD,
  LOST_KEY,
  type OwnedCopy,
  readCopyOf,
  ticketKey,
  transactionField,
  transactionKey,
} from "../../../lib/availability/ticket-copy.ts";
import { expiryOf, watermarkKey } from "../../../lib/availability/availability-cache.ts";
import { withTimeout } from "../../../lib/concurrency/clock.ts";
import { type RedisClient, runScripts } from "../../../lib/redis/client.ts";
import type { Ticket } from "../worker/ports.ts";
import { byPosition } from "./ticket-cursor.ts";
import type { TransactionView } from "./ticket-queries.ts";

/**
 * A value of a copy, as of a time. `trusted`: it needs no look into PostgreSQL. `doubted`: a
 * later write may be lost, so that PostgreSQL must not be answering.
 */
export type Found<T> = { value: T; asOfMs: number; trusted: boolean; doubted: boolean };

/** `patient`: PostgreSQL does not answer, so that there is time for a slow Redis. */
type FindCopy<T> = (userId: string, id: string, patient?: boolean) => Promise<Found<T> | undefined>;

export type CustomerList = { tickets: Ticket[]; asOfMs: number };

/**
 * Reads the copies that workers and readers have written. Undefined where Redis cannot answer
 * rightly. Never rejects, and never takes long.
 */
export type TicketCopies = {
  ticket: FindCopy<Ticket>;
  transaction: FindCopy<TransactionView>;
  /** All tickets of a customer, by event date and id. Only while PostgreSQL is down. */
  list(userId: string): Promise<CustomerList | undefined>;
  /**
   * Keeps the complete list that PostgreSQL had at `asOfMs` or later, unless a later one is kept.
   * Resolves to false if Redis does not take it.
   */
  keepList(userId: string, list: CustomerList): Promise<boolean>;
  /** Whether a usable list was kept within LIST_FRESH_MS. True if Redis does not answer. */
  holdsList(userId: string): Promise<boolean>;
  /** Trusts nothing for DOUBT_MS, or until `node` takes back its notice. */
  doubt(node: string, notice: CopiesDoubted): void;
};

/** Writers repeat a notice each second, until they take it back. */
const DOUBT_MS = 5_000;
/** A node that has just started may not be known to the nodes that give notice. */
const JOINING_MS = 2_000;
/** As long as the catalog's copies (GENERATION_MS): event data in a copy may be this old. */
const TICKET_TRUSTED_MS = 600_000;
/** The ledger books within a second. Then PostgreSQL answers. */
const PENDING_TRUSTED_MS = 5_000;
const LIST_FRESH_MS = 60_000;
/** A reader waits this long for Redis; then it does not ask for as long as REDIS_BACKOFF_MS. */
const REDIS_TIMEOUT_MS = 100;
const REDIS_BACKOFF_MS = 500;
/** While PostgreSQL is down nothing else answers. */
const PATIENT_TIMEOUT_MS = 400;
const DAY_MS = 86_400_000;
/** Field of a customer's hash: when the list was read. */
const LIST_TIME_FIELD = "asOf";
const TICKET_FIELD = /^[0-9a-f]{8}-/;

/**
 * Keeps a list in a customer's hash, unless one of the same run is younger. KEYS[1]: the hash.
 * ARGV: run_id, time and text of the list, now and expiry (ms since 1970).
 */
const KEEP_LIST = `
  local old = redis.call("HMGET", KEYS[1], "${LIST_RUN_FIELD}", "${LIST_TIME_FIELD}")
  if old[1] == ARGV[1] and tonumber(old[2]) > tonumber(ARGV[2]) then return end
  redis.call("HSET", KEYS[1], "${LIST_RUN_FIELD}", ARGV[1], "${LIST_TIME_FIELD}", ARGV[2],
    "${LIST_FIELD}", ARGV[3])
  if redis.call("PTTL", KEYS[1]) < ARGV[5] - ARGV[4] then
    redis.call("PEXPIREAT", KEYS[1], ARGV[5])
  end`;

export function createTicketCopies(redis: RedisClient): TicketCopies {
  const trustedFromMs = performance.now() + JOINING_MS;
  const doubts = new Map<string, { id: number; untilMs: number }>();
  let skipUntilMs = -Infinity;

  /** Is asked after an answer of Redis: a notice may have come meanwhile. */
  const isDoubted = (): boolean => {
    const nowMs = performance.now();
    return nowMs < trustedFromMs || [...doubts.values()].some(({ untilMs }) => nowMs < untilMs);
  };
  const ask = async <T>(
    read: (run: string) => Promise<T | undefined>,
    patient = false,
  ): Promise<T | undefined> => {
    const run = redis.runId();
    if (run === undefined || (!patient && performance.now() < skipUntilMs)) return undefined;
    let answered = false;
    const found = await withTimeout(
      read(run).then(
        (value) => ((answered = true), value),
        () => undefined,
      ),
      patient ? PATIENT_TIMEOUT_MS : REDIS_TIMEOUT_MS,
    );
    if (!answered) skipUntilMs = performance.now() + REDIS_BACKOFF_MS;
    return found;
  };

  /** Reads a copy of the customer's, by the event that `field` of the customer's hash names. */
  const owned = async <T>(
    userId: string,
    field: string,
    keyIn: (eventId: string) => string,
    run: string,
    trustedMs: number,
  ): Promise<Found<T> | undefined> => {
    const eventId = await redis.hget(customerKey(userId), field);
    if (eventId === null) return undefined;
    const [text, watermark] = await redis.mget(keyIn(eventId), watermarkKey(eventId));
    const copy = readCopyOf(text, run) as OwnedCopy<T> | undefined;
    if (copy === undefined || copy.value === null || copy.userId !== userId) return undefined;
    if (!isAbove(copy, watermark, run)) return undefined;
    const { value, atMs } = copy;
    const doubted = isDoubted();
    return { value, asOfMs: atMs, doubted, trusted: !doubted && isYoung(atMs, trustedMs) };
  };
  const isYoung = (atMs: number, forMs: number): boolean => Date.now() - atMs < forMs;

  return {
    ticket: (userId, ticketId, patient) =>
      ask((run) => {
        const keyIn = (eventId: string): string => ticketKey(eventId, ticketId);
        return owned<Ticket>(userId, ticketId, keyIn, run, TICKET_TRUSTED_MS);
      }, patient),

    transaction: (userId, transactionId, patient) =>
      ask((run) => {
        const keyIn = (eventId: string): string => transactionKey(eventId, transactionId);
        const field = transactionField(transactionId);
        return owned<TransactionView>(userId, field, keyIn, run, PENDING_TRUSTED_MS);
      }, patient),

    list: (userId) =>
      ask(async (run) => {
        const replies = await redis.pipeline().hgetall(customerKey(userId)).get(LOST_KEY).exec();
        const [fields, lost] = resultsOf(replies) as [Record<string, string>, string | null];
        const list = readCopyOf(fields[LIST_FIELD], run) as CustomerList | undefined;
        if (list === undefined || list.asOfMs <= Number(lost ?? 0)) return undefined;
        const known = new Map(list.tickets.map((ticket) => [ticket.id, ticket]));
        const written = await writtenTickets(redis, fields, run);
        for (const [id, ticket] of written) {
          if (ticket !== undefined && known.get(id)?.status !== "cancelled") known.set(id, ticket);
          // A ticket that is not in the list, and of which nothing else is known.
          else if (!known.has(id)) return undefined;
        }
        // A ticket whose write is lost is in neither.
        if (isDoubted()) return undefined;
        const tickets = [...known.values()].sort(byPosition);
        return { tickets, asOfMs: list.asOfMs };
      }, true),

    async keepList(userId, { tickets, asOfMs }) {
      const run = redis.runId();
      if (run === undefined) return false;
      const lastDay = tickets.at(-1)?.eventDate;
      const endsAtMs = lastDay === undefined ? 0 : Date.parse(lastDay) + DAY_MS;
      const nowMs = Date.now();
      const text = JSON.stringify({ run, asOfMs, tickets });
      const args = [run, asOfMs, text, nowMs, expiryOf(endsAtMs, nowMs)];
      const call = { name: "keepList", lua: KEEP_LIST, keys: [customerKey(userId)], args };
      return runScripts(redis, [call]).then(
        () => true,
        () => false,
      );
    },

    async holdsList(userId) {
      const held = await ask(async (run) => {
        const [fields, lost] = await Promise.all([
          redis.hmget(customerKey(userId), LIST_RUN_FIELD, LIST_TIME_FIELD),
          redis.get(LOST_KEY),
        ]);
        const asOfMs = Number(fields[1]);
        return fields[0] === run && asOfMs > Number(lost ?? 0) && isYoung(asOfMs, LIST_FRESH_MS);
      });
      return held !== false;
    },

    doubt(node, { id, settled = false }) {
      if (!settled) doubts.set(node, { id, untilMs: performance.now() + DOUBT_MS });
      else if (doubts.get(node)?.id === id) doubts.delete(node);
    },
  };
}

/** The tickets that a customer's hash names. Undefined: Redis has no copy that is trusted. */
async function writtenTickets(
  redis: RedisClient,
  fields: Record<string, string>,
  run: string,
): Promise<Map<string, Ticket | undefined>> {
  const named = Object.entries(fields).filter(([field]) => TICKET_FIELD.test(field));
  const events = [...Map.groupBy(named, ([, eventId]) => eventId)];
  const pipeline = redis.pipeline();
  for (const [eventId, ofEvent] of events)
    pipeline.mget(watermarkKey(eventId), ...ofEvent.map(([id]) => ticketKey(eventId, id)));
  const replies = resultsOf(await pipeline.exec()) as (string | null)[][];
  const tickets = new Map<string, Ticket | undefined>();
  events.forEach(([, ofEvent], index) => {
    const [watermark, ...texts] = replies[index] ?? [];
    ofEvent.forEach(([id], place) => {
      const copy = readCopyOf(texts[place], run) as OwnedCopy<Ticket> | undefined;
      const usable = copy !== undefined && isAbove(copy, watermark, run);
      tickets.set(id, usable ? (copy.value ?? undefined) : undefined);
    });
  });
  return tickets;
}

function resultsOf(replies: [Error | null, unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}
