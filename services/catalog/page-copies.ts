import { randomUUID } from "node:crypto";
import { availableKey, GENERATION_KEY, readAvailable } from "../../mixins/kept-copies.ts";
import type { RedisClient } from "../../mixins/redis.ts";
import { within } from "../../mixins/within.ts";
import type { EventRow, StoredEvent } from "./event-view.ts";
import { GENERATION_MS, eventKey } from "./event-copies.ts";

/** A page is as good as PostgreSQL's for so long, unless an import renews the generation or one of its events ends. */
const FRESH_MS = 600_000;
/** And so much longer it may stand in for a PostgreSQL that is away. */
const STALE_MS = 600_000;
const DAY_MS = 86_400_000;
/** PostgreSQL answers in less: a Redis that is slower than this is no help. */
const PATIENCE_MS = 250;
/** A Redis that kept somebody waiting is not asked again for so long. */
const REST_MS = 500;

export type Held<T> = { value: T; fresh: boolean };
/** The generation to keep under whatever is read from PostgreSQL from now on; undefined while Redis cannot be used. */
export type Generation = string | undefined;
export type EventCopies = { generation: Generation; rows: Map<string, Held<EventRow>>; available: Map<string, number> };

export type PageCopies = {
  page(key: string): Promise<{ generation: Generation; held?: Held<unknown> }>;
  events(ids: readonly string[]): Promise<EventCopies>;
  /** `freshMs`: how long it may pass for PostgreSQL's answer, ten minutes at most. Waits for nothing, as `keepEvents`. */
  keepPage(key: string, value: unknown, generation: Generation, freshMs?: number): void;
  keepEvents(events: readonly StoredEvent[], generation: Generation): void;
};

type Copy<T> = { run: string; generation: string; value: T };

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
    const found = await within(
      work(run).catch(() => undefined),
      PATIENCE_MS,
    );
    if (found === undefined) restUntilMs = performance.now() + REST_MS;
    return found;
  };
  /** The generation that stands; where there is none (an empty Redis, or an import that died) a new one, under which nothing is fresh yet. */
  const standing = async (read: string | null | undefined): Promise<string> => {
    if (read) return read;
    const mine = randomUUID();
    return (await redis.set(GENERATION_KEY, mine, "PX", GENERATION_MS, "NX", "GET")) ?? mine;
  };
  const keep = (write: (run: string) => Promise<unknown>): void => {
    const run = redis.runId();
    if (run !== undefined) write(run).catch(() => undefined);
  };

  return {
    async page(key) {
      const found = await ask(async (run) => {
        const replies = (await redis.pipeline().mget(GENERATION_KEY, key).pttl(key).exec()) ?? [];
        const [texts, ttlMs] = replies.map(([error, reply]) => {
          if (error) throw error;
          return reply;
        }) as [(string | null)[], number];
        const generation = await standing(texts[0]);
        const copy = readCopy<unknown>(texts[1], run);
        if (copy === undefined) return { generation };
        return { generation, held: { value: copy.value, fresh: copy.generation === generation && ttlMs > STALE_MS } };
      });
      return found ?? { generation: undefined };
    },
    async events(ids) {
      const rows = new Map<string, Held<EventRow>>();
      const available = new Map<string, number>();
      const generation = await ask(async (run) => {
        const texts = await redis.mget(GENERATION_KEY, ...ids.map(eventKey), ...ids.map(availableKey));
        const present = await standing(texts[0]);
        ids.forEach((id, index) => {
          const copy = readCopy<EventRow>(texts[1 + index], run);
          if (copy !== undefined) rows.set(id, { value: copy.value, fresh: copy.generation === present });
          const left = readAvailable(texts[1 + ids.length + index], run);
          if (left !== undefined) available.set(id, left);
        });
        return present;
      });
      return { generation, rows, available };
    },
    keepPage(key, value, generation, freshMs = FRESH_MS) {
      if (generation === undefined) return;
      const lifeMs = Math.round(Math.max(0, Math.min(freshMs, FRESH_MS))) + STALE_MS;
      keep((run) => redis.set(key, JSON.stringify({ run, generation, value }), "PX", lifeMs));
    },
    keepEvents(events, generation) {
      if (generation === undefined || events.length === 0) return;
      keep((run) => {
        const pipeline = redis.pipeline();
        for (const { endsAtMs, ...value } of events) {
          const expiresAtMs = Math.round(Math.max(endsAtMs, Date.now())) + DAY_MS;
          pipeline.set(eventKey(value.id), JSON.stringify({ run, generation, value }), "PXAT", expiresAtMs);
        }
        return pipeline.exec();
      });
    },
  };
}

function readCopy<T>(text: string | null | undefined, run: string): Copy<T> | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const copy = JSON.parse(text) as Partial<Copy<T>>;
    return copy.run === run && copy.value !== undefined && copy.generation !== undefined ? (copy as Copy<T>) : undefined;
  } catch {
    return undefined;
  }
}
