import { randomUUID } from "node:crypto";
import { EVENT_STATUSES } from "../../../domain/event-record.ts";
import {
  availableKey,
  expiryOf,
  GENERATION_KEY,
  readAvailable,
} from "../../../lib/availability/availability-cache.ts";
import { type RedisClient, runScripts } from "../../../lib/redis/client.ts";
import { withTimeout } from "../../../lib/concurrency/clock.ts";
import type { EventRow, StoredEvent } from "../events/event.model.ts";
import { GENERATION_MS, eventKey } from "../events/cache-invalidation.ts";

/**
 * Lifetime of a fresh copy, unless an import renews the generation or an event of the page ends.
 */
export const FRESH_MS = 600_000;
/** Extra lifetime, in which a copy answers while PostgreSQL is down. */
const STALE_MS = 600_000;
/** A Redis that is slower than this is slower than PostgreSQL. */
const REDIS_TIMEOUT_MS = 250;
/** Keys of one command. Redis is blocked for about 0.25 ms. */
const BATCH_MAX = 1_000;
/** Circuit breaker: skip Redis for this time after a time-out. */
const REDIS_BACKOFF_MS = 500;

export type Held<T> = { value: T; fresh: boolean };
/**
 * Version of the catalog's copies. An import changes the generation; a restart of Redis changes
 * the run id.
 */
export type CacheVersion = { run: string; generation: string };
/**
 * `version`: for copies of what is read from PostgreSQL from now on. Undefined while Redis is
 * unusable.
 */
export type AvailabilityCopies = {
  version: CacheVersion | undefined;
  available: Map<string, number>;
};
export type EventCopies = AvailabilityCopies & { rows: Map<string, Held<EventRow>> };

export type PageCopies = {
  /** `freshMs`: time for which the page stays fresh if the version does not change. */
  page(
    key: string,
  ): Promise<{ version: CacheVersion | undefined; held?: Held<unknown>; freshMs?: number }>;
  events(ids: readonly string[]): Promise<EventCopies>;
  /** Calls of one event loop turn share one command, so the result may contain other events too. */
  availability(ids: readonly string[]): Promise<AvailabilityCopies>;
  /** `freshMs`: lifetime as a fresh copy, FRESH_MS at most. Returns before Redis answers. */
  keepPage(key: string, value: unknown, version: CacheVersion | undefined, freshMs?: number): void;
  /** Returns before Redis answers. */
  keepEvents(events: readonly StoredEvent[], version: CacheVersion | undefined): void;
};

export function isSameVersion(
  one: CacheVersion | undefined,
  other: CacheVersion | undefined,
): boolean {
  return one !== undefined && one.run === other?.run && one.generation === other.generation;
}

type Copy<T> = CacheVersion & { value: T };

/**
 * Writes copies. KEYS: copies. ARGV: expiry (Unix ms) and text of each. One command per page is
 * cheaper than one per event.
 */
const KEEP_ALL = `
  for index, key in ipairs(KEYS) do
    redis.call("SET", key, ARGV[2 * index], "PXAT", ARGV[2 * index - 1])
  end`;

/**
 * Copies of the catalog in Redis: pages (mostly ids) and events. A copy is trusted only under
 * the server's current run id, and is fresh only under the current generation, which every import
 * renews. A reader that read the old rows during an import stores them under the old generation.
 * While Redis is down or frozen, reads return nothing within REDIS_TIMEOUT_MS.
 */
export function createPageCopies(redis: RedisClient): PageCopies {
  let skipUntilMs = 0;

  const ask = async <T>(read: (run: string) => Promise<T>): Promise<T | undefined> => {
    const run = redis.runId();
    if (run === undefined || performance.now() < skipUntilMs) return undefined;
    const found = await withTimeout(
      read(run).catch(() => undefined),
      REDIS_TIMEOUT_MS,
    );
    if (found === undefined) skipUntilMs = performance.now() + REDIS_BACKOFF_MS;
    return found;
  };
  /**
   * Returns the current generation. Starts a new one, under which nothing is fresh, if there is
   * none.
   */
  const ensureGeneration = async (read: string | null | undefined): Promise<string> => {
    if (read) return read;
    const fresh = randomUUID();
    return (await redis.set(GENERATION_KEY, fresh, "PX", GENERATION_MS, "NX", "GET")) ?? fresh;
  };
  /** Reads the availability of events, and their rows if asked. */
  const read = async (ids: readonly string[], withRows: boolean): Promise<EventCopies> => {
    const rows = new Map<string, Held<EventRow>>();
    const available = new Map<string, number>();
    const version = await ask(async (run) => {
      const [generationText, ...texts] = await redis.mget(
        GENERATION_KEY,
        ...ids.map(availableKey),
        ...(withRows ? ids.map(eventKey) : []),
      );
      const generation = await ensureGeneration(generationText);
      ids.forEach((id, index) => {
        const copied = readAvailable(texts[index], run);
        if (copied !== undefined) available.set(id, copied);
        const copy = readCopy<EventRow>(texts[ids.length + index], run);
        // A copy of a node of the last release has no status.
        if (copy !== undefined && EVENT_STATUSES.includes(copy.value.status))
          rows.set(id, { value: copy.value, fresh: copy.generation === generation });
      });
      return { run, generation };
    });
    return { version, rows, available };
  };

  let batch: { ids: Set<string>; answer: Promise<AvailabilityCopies> } | undefined;
  const startBatch = (): NonNullable<typeof batch> => {
    const ids = new Set<string>();
    const answer = new Promise(setImmediate).then(() => {
      if (batch?.ids === ids) batch = undefined;
      return read([...ids], false);
    });
    return { ids, answer };
  };

  return {
    async page(key) {
      const found = await ask(async (run): Promise<Awaited<ReturnType<PageCopies["page"]>>> => {
        const replies = (await redis.pipeline().mget(GENERATION_KEY, key).pttl(key).exec()) ?? [];
        const [texts, ttlMs] = replies.map(([error, reply]) => {
          if (error) throw error;
          return reply;
        }) as [(string | null)[], number];
        const version = { run, generation: await ensureGeneration(texts[0]) };
        const copy = readCopy<unknown>(texts[1], run);
        if (copy === undefined) return { version };
        const freshMs = ttlMs - STALE_MS;
        return {
          version,
          held: { value: copy.value, fresh: copy.generation === version.generation && freshMs > 0 },
          freshMs,
        };
      });
      return found ?? { version: undefined };
    },
    events: (ids) => read(ids, true),
    availability(ids) {
      batch ??= startBatch();
      const { ids: batchIds, answer } = batch;
      for (const id of ids) batchIds.add(id);
      if (batchIds.size >= BATCH_MAX) batch = undefined;
      return answer;
    },
    keepPage(key, value, version, freshMs = FRESH_MS) {
      if (version === undefined) return;
      const lifeMs = Math.round(Math.max(0, Math.min(freshMs, FRESH_MS))) + STALE_MS;
      redis.set(key, JSON.stringify({ ...version, value }), "PX", lifeMs).catch(() => undefined);
    },
    keepEvents(events, version) {
      if (version === undefined || events.length === 0) return;
      const nowMs = Date.now();
      const texts = events.flatMap(({ endsAtMs, ...value }) => {
        return [expiryOf(endsAtMs, nowMs), JSON.stringify({ ...version, value })];
      });
      const keys = events.map(({ id }) => eventKey(id));
      runScripts(redis, [{ name: "keepAll", lua: KEEP_ALL, keys, args: texts }]).catch(
        () => undefined,
      );
    },
  };
}

function readCopy<T>(text: string | null | undefined, run: string): Copy<T> | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const copy = JSON.parse(text) as Partial<Copy<T>>;
    return copy.run === run && copy.value !== undefined && copy.generation !== undefined
      ? (copy as Copy<T>)
      : undefined;
  } catch {
    return undefined;
  }
}
