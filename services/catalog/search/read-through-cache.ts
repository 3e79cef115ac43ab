import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import { type Connection, orRetryLater } from "../../../lib/database/pool.ts";
import { createConcurrencyLimit } from "../../../lib/concurrency/concurrency-limit.ts";
import { copyLeftToSell, readLeftToSell } from "../../../lib/availability/availability-query.ts";
import type { Metrics } from "../../../lib/observability/metrics.ts";
import { createSingleFlight } from "../../../lib/concurrency/single-flight.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import { pageKey } from "../events/cache-invalidation.ts";
import {
  type EventRow,
  eventView,
  type EventView,
  type StoredEvent,
} from "../events/event.model.ts";
import { type Filters, listFilters } from "./filter-options.ts";
import {
  createPageCopies,
  type CacheVersion,
  type EventCopies,
  FRESH_MS,
  type Held,
  isSameVersion,
} from "./redis-page-cache.ts";
import { createMemoryPages, withAvailability } from "./memory-page-cache.ts";
import { type FoundPage, findPage, type SearchPage } from "./find-page.ts";
import { searchFilters, searchKey, type SearchParams } from "./search-filters.ts";

/**
 * Counts reads by the layer that answered: fresh copies (`hits`; `availabilityMisses` of them
 * asked PostgreSQL for the availability), PostgreSQL or none (`misses`), and expired copies while
 * PostgreSQL was down (`stale`). `redisSkipped`: reads for which Redis was down or too slow.
 */
export type CatalogCounts = {
  hits: number;
  availabilityMisses: number;
  misses: number;
  stale: number;
  redisSkipped: number;
};

export function newCatalogCounts(): CatalogCounts {
  return { hits: 0, availabilityMisses: 0, misses: 0, stale: 0, redisSkipped: 0 };
}

/** Publishes the counts as metrics. */
export function registerCatalogMetrics(metrics: Metrics, counts: CatalogCounts): void {
  metrics.read(
    "boxoffice_catalog_answers_total",
    "Reads of the catalog by the layer that answered.",
    "counter",
    () => [
      { labels: { layer: "copies" }, value: counts.hits },
      { labels: { layer: "database" }, value: counts.misses },
      { labels: { layer: "stale" }, value: counts.stale },
    ],
  );
  metrics.read(
    "boxoffice_catalog_unasked_total",
    "Reads for which Redis was down or too slow.",
    "counter",
    () => [{ value: counts.redisSkipped }],
  );
}

export type EventReader = {
  /** Can refuse with: VALIDATION_ERROR, TRY_AGAIN. */
  search(params: SearchParams): Promise<Answer<SearchPage>>;
  /** Can refuse with: EVENT_NOT_FOUND, TRY_AGAIN. `find` reads the event from PostgreSQL. */
  get(eventId: string, find: () => Promise<StoredEvent | undefined>): Promise<Answer<EventView>>;
  /** Can refuse with: TRY_AGAIN. */
  filters(): Promise<Answer<Filters>>;
};

export type EventReaderOptions = {
  database: Connection;
  redis: RedisClient;
  now: () => number;
  counts: CatalogCounts;
};

/** Interval of tries while PostgreSQL is down and a copy can answer. */
const RETRY_MS = 500;
/**
 * Bulkhead: concurrent reads from PostgreSQL. Fewer than the pool's connections, so that a rush
 * of uncached searches does not delay tickets and sign-ins. A read that waits longer has been
 * answered TRY_AGAIN.
 */
const DATABASE_LIMIT = { running: 6, waiting: 1_000, waitMs: 900 };
/** Short, because events end all the time and change the counts. */
/** Events end all the time, and their counts with them. */
const FILTERS_FRESH_MS = 60_000;

/**
 * Reads the catalog through the cache: fresh copies in Redis, else PostgreSQL, else expired
 * copies (stale-if-error). Equal concurrent reads share one flight. The availability of each
 * answer comes from the copy that the event's worker writes with each batch.
 */
export function createEventReader({
  database,
  redis,
  now,
  counts,
}: EventReaderOptions): EventReader {
  const copies = createPageCopies(redis);
  const memoryPages = createMemoryPages();
  const singleFlight = createSingleFlight<Answer<unknown>>();
  const limit = createConcurrencyLimit(DATABASE_LIMIT);
  let retryAtMs: number | undefined;

  /**
   * Reads from PostgreSQL, or refuses with TRY_AGAIN within a second: at once if PostgreSQL was
   * just down and `copy` can answer.
   */
  const ask = async <T>(read: () => Promise<Answer<T>>, copy: unknown): Promise<Answer<T>> => {
    const nowMs = performance.now();
    if (copy !== undefined && retryAtMs !== undefined) {
      if (nowMs < retryAtMs) return refused("TRY_AGAIN");
      retryAtMs = nowMs + RETRY_MS;
    }
    const answer = await orRetryLater(() => limit(read));
    retryAtMs = isDown(answer) ? performance.now() + RETRY_MS : undefined;
    return answer;
  };

  /**
   * Tries fresh copy, PostgreSQL, expired copy. `assemble` returns undefined if copies are
   * missing.
   */
  const readThrough = async <T>(
    read: () => Promise<Answer<T>>,
    held: Held<unknown> | undefined,
    assemble: (stale: boolean) => Promise<T | undefined> | T | undefined,
  ): Promise<Answer<T>> => {
    if (held?.fresh === true) {
      const value = await assemble(false);
      if (value !== undefined) {
        counts.hits += 1;
        return accepted(value);
      }
    }
    const answer = await ask(read, held);
    const value = held !== undefined && isDown(answer) ? await assemble(true) : undefined;
    if (value === undefined) {
      counts.misses += 1;
      return answer;
    }
    counts.stale += 1;
    return accepted(value);
  };

  /** Adds the availability. Asks PostgreSQL only for events without a copy in Redis. */
  const withAvailable = async (
    rows: readonly EventRow[],
    copied: ReadonlyMap<string, number>,
  ): Promise<EventView[]> => {
    const missing = rows.flatMap(({ id }) => (copied.has(id) ? [] : [id]));
    const numbers = missing.length === 0 ? [] : await readLeftToSell(database, missing);
    if (numbers.length > 0) void copyLeftToSell(redis, numbers);
    const read = new Map(numbers.map(({ eventId, available }) => [eventId, available]));
    return rows.map((row) => eventView(row, copied.get(row.id) ?? read.get(row.id) ?? 0));
  };

  /**
   * Assembles events from copies, or returns undefined. `stale` accepts expired copies, but not a
   * missing availability.
   */
  const eventsFromCopies = async (
    ids: readonly string[],
    { rows, available }: EventCopies,
    stale: boolean,
  ): Promise<EventView[] | undefined> => {
    const found = ids.flatMap((id) => rows.get(id) ?? []);
    if (found.length < ids.length || !(stale || found.every(({ fresh }) => fresh)))
      return undefined;
    const events = found.map(({ value }) => value);
    const complete = events.every(({ id }) => available.has(id));
    if (stale || complete) return complete ? withAvailable(events, available) : undefined;
    counts.availabilityMisses += 1;
    const answer = await ask(async () => accepted(await withAvailable(events, available)), found);
    return answer.ok ? answer.value : undefined;
  };

  /**
   * Returns the page from memory with current availability, or undefined if the catalog changed
   * or Redis is down.
   */
  const readMemoryPage = async (key: string, nowMs: number): Promise<SearchPage | undefined> => {
    const cached = memoryPages.get(key);
    if (cached === undefined || nowMs >= cached.freshUntilMs) return undefined;
    const { version, available } = await copies.availability(cached.page.items.map(({ id }) => id));
    if (
      !isSameVersion(version, cached.version) ||
      !cached.page.items.every(({ id }) => available.has(id))
    )
      return undefined;
    return (cached.page = withAvailability(cached.page, available));
  };
  const cacheInMemory = (
    key: string,
    page: SearchPage,
    version: CacheVersion | undefined,
    freshUntilMs: number,
  ): SearchPage => {
    if (version !== undefined) memoryPages.set(key, { version, page, freshUntilMs });
    return page;
  };

  return {
    async search(params) {
      const nowMs = now();
      const filters = searchFilters(params, nowMs);
      if (!filters.ok) return filters;
      const key = pageKey(searchKey(params, filters.value));
      return singleFlight(key, async () => {
        const cached = await readMemoryPage(key, nowMs);
        if (cached !== undefined) {
          counts.hits += 1;
          return accepted(cached);
        }
        const { version, held, freshMs: heldMs = 0 } = await copies.page(key);
        if (version === undefined) counts.redisSkipped += 1;
        const read = async (): Promise<Answer<SearchPage>> => {
          const { found, events, freshMs } = await findPage(database, filters.value, nowMs);
          const { available } = await copies.availability(found.ids);
          const items = await withAvailable(events.map(rowOf), available);
          copies.keepPage(key, found, version, freshMs);
          copies.keepEvents(events, version);
          return accepted(
            cacheInMemory(
              key,
              { items, nextCursor: found.nextCursor },
              version,
              nowMs + Math.min(freshMs, FRESH_MS),
            ),
          );
        };
        return readThrough(read, held, async (stale) => {
          const page = held?.value as FoundPage;
          const found = await copies.events(page.ids);
          const items = await eventsFromCopies(page.ids, found, stale);
          if (items === undefined) return undefined;
          const whole = { items, nextCursor: page.nextCursor };
          return stale || !isSameVersion(version, found.version)
            ? whole
            : cacheInMemory(key, whole, version, nowMs + heldMs);
        });
      }) as Promise<Answer<SearchPage>>;
    },

    get: (eventId, find) =>
      singleFlight(eventId, async () => {
        const copied = await copies.events([eventId]);
        if (copied.version === undefined) counts.redisSkipped += 1;
        const read = async (): Promise<Answer<EventView>> => {
          const event = await find();
          if (event === undefined) return refused("EVENT_NOT_FOUND");
          const [view] = await withAvailable([rowOf(event)], copied.available);
          copies.keepEvents([event], copied.version);
          return view === undefined ? refused("EVENT_NOT_FOUND") : accepted(view);
        };
        return readThrough(
          read,
          copied.rows.get(eventId),
          async (stale) => (await eventsFromCopies([eventId], copied, stale))?.[0],
        );
      }) as Promise<Answer<EventView>>,

    filters: () =>
      singleFlight("filters", async () => {
        const key = pageKey("filters");
        const { version, held } = await copies.page(key);
        if (version === undefined) counts.redisSkipped += 1;
        const read = async (): Promise<Answer<Filters>> => {
          const filters = await listFilters(database, now());
          copies.keepPage(key, filters, version, FILTERS_FRESH_MS);
          return accepted(filters);
        };
        return readThrough(read, held, () => held?.value as Filters);
      }) as Promise<Answer<Filters>>,
  };
}

function rowOf(event: StoredEvent): EventRow {
  const row: Partial<StoredEvent> = { ...event };
  delete row.endsAtMs;
  return row as EventRow;
}

function isDown(answer: Answer<unknown>): boolean {
  return !answer.ok && answer.refusal.code === "TRY_AGAIN";
}
