import { randomUUID } from "node:crypto";
import {
  availableKey,
  expiryOf,
  GENERATION_KEY,
  readAvailable,
} from "../../../lib/availability/availability-cache.ts";
import { type RedisClient, runScript } from "../../../lib/redis/client.ts";
import { withTimeout } from "../../../lib/concurrency/with-timeout.ts";
import type { EventRow, StoredEvent } from "../events/event.model.ts";
import { GENERATION_MS, eventKey } from "../events/cache-invalidation.ts";

/** A page is as good as PostgreSQL's for so long, unless an import renews the generation or one of its events ends. */
export const FRESH_MS = 600_000;
/** And so much longer it may stand in for a PostgreSQL that is away. */
const STALE_MS = 600_000;
/** PostgreSQL answers in less: a Redis that is slower than this is no help. */
const PATIENCE_TIMEOUT_MS = 250;
/** Redis serves nobody else meanwhile: a quarter of a millisecond. */
const ASKED_TOGETHER_MAX = 1_000;
/** A Redis that kept somebody waiting is not asked again for so long. */
const REDIS_BACKOFF_MS = 500;

export type Held<T> = { value: T; fresh: boolean };
/** As which the catalogue stands: what was read under another generation may have been changed by an import, under another run it may be anything. */
export type CacheVersion = { run: string; generation: string };
/** `edition`: to keep under it whatever is read from PostgreSQL from now on; undefined while Redis cannot be used. */
export type LeftCopies = { edition: CacheVersion | undefined; available: Map<string, number> };
export type EventCopies = LeftCopies & { rows: Map<string, Held<EventRow>> };

export type PageCopies = {
  /** `freshMs`: for how long what is held stays fresh, unless the edition changes. */
  page(
    key: string,
  ): Promise<{ edition: CacheVersion | undefined; held?: Held<unknown>; freshMs?: number }>;
  events(ids: readonly string[]): Promise<EventCopies>;
  /** What is asked in the same turn of the event loop goes to Redis as one question, so the answer may hold numbers of other events too. */
  left(ids: readonly string[]): Promise<LeftCopies>;
  /** `freshMs`: how long it may pass for PostgreSQL's answer, ten minutes at most. Waits for nothing, as `keepEvents`. */
  keepPage(key: string, value: unknown, edition: CacheVersion | undefined, freshMs?: number): void;
  keepEvents(events: readonly StoredEvent[], edition: CacheVersion | undefined): void;
};

export function isSameEdition(
  one: CacheVersion | undefined,
  other: CacheVersion | undefined,
): boolean {
  return one !== undefined && one.run === other?.run && one.generation === other.generation;
}

type Copy<T> = CacheVersion & { value: T };

/** KEYS: copies. ARGV: expiry (ms since 1970) and text of each. One command for a page: one for each event made a search cost a seventh more. */
const KEEP_ALL = `
  for index, key in ipairs(KEYS) do
    redis.call("SET", key, ARGV[2 * index], "PXAT", ARGV[2 * index - 1])
  end`;

/**
 * The catalogue's copies in Redis: pages (of ids, mostly) and events. A copy is trusted only if it was written under the server's present run_id, and is
 * fresh only under the present generation, which every import renews: a reader that was still reading the old rows when they changed keeps them
 * under the old one. Whoever asks gets nothing, soon, where Redis is away or frozen.
 */
export function createPageCopies(redis: RedisClient): PageCopies {
  let restUntilMs = 0;

  const ask = async <T>(work: (run: string) => Promise<T>): Promise<T | undefined> => {
    const run = redis.runId();
    if (run === undefined || performance.now() < restUntilMs) return undefined;
    const found = await withTimeout(
      work(run).catch(() => undefined),
      PATIENCE_TIMEOUT_MS,
    );
    if (found === undefined) restUntilMs = performance.now() + REDIS_BACKOFF_MS;
    return found;
  };
  /** The generation that stands; where there is none (an empty Redis, or an import that died) a new one, under which nothing is fresh yet. */
  const standing = async (read: string | null | undefined): Promise<string> => {
    if (read) return read;
    const mine = randomUUID();
    return (await redis.set(GENERATION_KEY, mine, "PX", GENERATION_MS, "NX", "GET")) ?? mine;
  };
  /** Rows and numbers of events, or numbers alone. */
  const read = async (ids: readonly string[], withRows: boolean): Promise<EventCopies> => {
    const rows = new Map<string, Held<EventRow>>();
    const available = new Map<string, number>();
    const edition = await ask(async (run) => {
      const [word, ...texts] = await redis.mget(
        GENERATION_KEY,
        ...ids.map(availableKey),
        ...(withRows ? ids.map(eventKey) : []),
      );
      const generation = await standing(word);
      ids.forEach((id, index) => {
        const left = readAvailable(texts[index], run);
        if (left !== undefined) available.set(id, left);
        const copy = readCopy<EventRow>(texts[ids.length + index], run);
        if (copy !== undefined)
          rows.set(id, { value: copy.value, fresh: copy.generation === generation });
      });
      return { run, generation };
    });
    return { edition, rows, available };
  };

  let gathering: { asked: Set<string>; answer: Promise<LeftCopies> } | undefined;
  const gather = (): NonNullable<typeof gathering> => {
    const asked = new Set<string>();
    const answer = new Promise(setImmediate).then(() => {
      if (gathering?.asked === asked) gathering = undefined;
      return read([...asked], false);
    });
    return { asked, answer };
  };

  return {
    async page(key) {
      const found = await ask(async (run): Promise<Awaited<ReturnType<PageCopies["page"]>>> => {
        const replies = (await redis.pipeline().mget(GENERATION_KEY, key).pttl(key).exec()) ?? [];
        const [texts, ttlMs] = replies.map(([error, reply]) => {
          if (error) throw error;
          return reply;
        }) as [(string | null)[], number];
        const edition = { run, generation: await standing(texts[0]) };
        const copy = readCopy<unknown>(texts[1], run);
        if (copy === undefined) return { edition };
        const freshMs = ttlMs - STALE_MS;
        return {
          edition,
          held: { value: copy.value, fresh: copy.generation === edition.generation && freshMs > 0 },
          freshMs,
        };
      });
      return found ?? { edition: undefined };
    },
    events: (ids) => read(ids, true),
    left(ids) {
      gathering ??= gather();
      const { asked, answer } = gathering;
      for (const id of ids) asked.add(id);
      if (asked.size >= ASKED_TOGETHER_MAX) gathering = undefined;
      return answer;
    },
    keepPage(key, value, edition, freshMs = FRESH_MS) {
      if (edition === undefined) return;
      const lifeMs = Math.round(Math.max(0, Math.min(freshMs, FRESH_MS))) + STALE_MS;
      redis.set(key, JSON.stringify({ ...edition, value }), "PX", lifeMs).catch(() => undefined);
    },
    keepEvents(events, edition) {
      if (edition === undefined || events.length === 0) return;
      const nowMs = Date.now();
      const texts = events.flatMap(({ endsAtMs, ...value }) => {
        return [expiryOf(endsAtMs, nowMs), JSON.stringify({ ...edition, value })];
      });
      const keys = events.map(({ id }) => eventKey(id));
      runScript(redis, "keepAll", KEEP_ALL, keys, texts).catch(() => undefined);
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
