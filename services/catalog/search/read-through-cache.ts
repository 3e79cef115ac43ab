import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import { createConcurrencyLimit } from "../../../lib/concurrency/concurrency-limit.ts";
import { copyLeftToSell, readLeftToSell } from "../../../lib/availability/availability-query.ts";
import type { Metrics } from "../../../lib/observability/metrics.ts";
import { createSingleFlight } from "../../../lib/concurrency/single-flight.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import { orRetryLater } from "../../../lib/database/transient-errors.ts";
import { pageKey } from "../events/cache-invalidation.ts";
import type { EventRow, EventView, StoredEvent } from "../events/event.model.ts";
import { type Filters, listFilters } from "./filter-options.ts";
import {
  createPageCopies,
  type CacheVersion,
  type EventCopies,
  FRESH_MS,
  type Held,
  isSameEdition,
} from "./redis-page-cache.ts";
import { createPagesAtHand, withNumbers } from "./memory-page-cache.ts";
import { type FoundPage, findPage, type SearchPage } from "./find-page.ts";
import { searchFilters, searchKey, type SearchParams } from "./search-filters.ts";

/**
 * Questions answered from fresh copies (`partial` of them asked PostgreSQL what is left to sell), by PostgreSQL or not at all, and from copies past
 * their time because it was away. `unasked`: how often Redis was away or too slow to be of help.
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

/** Tells which layer answered. */
export function watchCatalog(metrics: Metrics, counts: CatalogCounts): void {
  metrics.read(
    "boxoffice_catalog_answers_total",
    "Questions to the catalogue by the layer that answered.",
    "counter",
    () => [
      { labels: { layer: "copies" }, value: counts.hits },
      { labels: { layer: "database" }, value: counts.misses },
      { labels: { layer: "stale" }, value: counts.stale },
    ],
  );
  metrics.read(
    "boxoffice_catalog_unasked_total",
    "Questions for which Redis was away or too slow.",
    "counter",
    () => [{ value: counts.redisSkipped }],
  );
}

export type Layers = {
  /** Can refuse with: VALIDATION_ERROR, TRY_AGAIN. */
  search(params: SearchParams): Promise<Answer<SearchPage>>;
  /** Can refuse with: EVENT_NOT_FOUND, TRY_AGAIN. `find` reads the event from PostgreSQL. */
  get(eventId: string, find: () => Promise<StoredEvent | undefined>): Promise<Answer<EventView>>;
  /** Can refuse with: TRY_AGAIN. */
  filters(): Promise<Answer<Filters>>;
};

export type LayersOptions = {
  database: Connection;
  redis: RedisClient;
  now: () => number;
  counts: CatalogCounts;
};

/** While PostgreSQL is away and there are copies, one question in so long is spent on finding out whether it is back. */
const RETRY_MS = 500;
/**
 * Questions that PostgreSQL is asked at a time: fewer than the pool has connections, so that a rush of searches that nobody asked before does not stand
 * before people's tickets and sign-ins. Whoever has waited for a second has been told TRY_AGAIN.
 */
const LINE = { running: 6, waiting: 1_000, waitMs: 900 };
/** Events end all the time, and their counts with them. */
const FILTERS_FRESH_MS = 60_000;

/**
 * The catalogue as it is read: copies in Redis where they are fresh, else PostgreSQL, else copies past their time. The same question asked by many at
 * once is one. What is left to sell comes with each answer from the copy that the event's worker renews with each batch.
 */
export function createEventReader({ database, redis, now, counts }: LayersOptions): Layers {
  const copies = createPageCopies(redis);
  const atHand = createPagesAtHand();
  const flights = createSingleFlight<Answer<unknown>>();
  const turn = createConcurrencyLimit(LINE);
  let retryAtMs: number | undefined;

  /** PostgreSQL's answer, or TRY_AGAIN within a second; at once where it was just seen to be away and `copy` can stand in. */
  const ask = async <T>(read: () => Promise<Answer<T>>, copy: unknown): Promise<Answer<T>> => {
    const nowMs = performance.now();
    if (copy !== undefined && retryAtMs !== undefined) {
      if (nowMs < retryAtMs) return refused("TRY_AGAIN");
      retryAtMs = nowMs + RETRY_MS;
    }
    const answer = await orRetryLater(() => turn(read));
    retryAtMs = isDown(answer) ? performance.now() + RETRY_MS : undefined;
    return answer;
  };

  /** The order of things for every kind of question. `assemble` gives undefined where the copies do not suffice. */
  const layered = async <T>(
    read: () => Promise<Answer<T>>,
    held: Held<unknown> | undefined,
    assemble: (late: boolean) => Promise<T | undefined> | T | undefined,
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

  /** Adds what is left to sell; asks PostgreSQL only about events of which Redis says nothing. */
  const withAvailable = async (
    rows: readonly EventRow[],
    copied: ReadonlyMap<string, number>,
  ): Promise<EventView[]> => {
    const missing = rows.flatMap(({ id }) => (copied.has(id) ? [] : [id]));
    const numbers = missing.length === 0 ? [] : await readLeftToSell(database, missing);
    if (numbers.length > 0) void copyLeftToSell(redis, numbers);
    const read = new Map(numbers.map(({ eventId, available }) => [eventId, available]));
    return rows.map((row) => ({ ...row, available: copied.get(row.id) ?? read.get(row.id) ?? 0 }));
  };

  /** All of these events from copies, or undefined. Of one that nobody has copied `late` does not make up what is left. */
  const eventsFromCopies = async (
    ids: readonly string[],
    { rows, available }: EventCopies,
    late: boolean,
  ): Promise<EventView[] | undefined> => {
    const found = ids.flatMap((id) => rows.get(id) ?? []);
    if (found.length < ids.length || !(late || found.every(({ fresh }) => fresh))) return undefined;
    const events = found.map(({ value }) => value);
    const complete = events.every(({ id }) => available.has(id));
    if (late || complete) return complete ? withAvailable(events, available) : undefined;
    counts.availabilityMisses += 1;
    const answer = await ask(async () => accepted(await withAvailable(events, available)), found);
    return answer.ok ? answer.value : undefined;
  };

  /** The page that this process gave last, with what is left now; undefined where the catalogue has changed or Redis does not say. */
  const pageAtHand = async (key: string, nowMs: number): Promise<SearchPage | undefined> => {
    const near = atHand.get(key);
    if (near === undefined || nowMs >= near.freshUntilMs) return undefined;
    const { edition, available } = await copies.left(near.page.items.map(({ id }) => id));
    if (
      !isSameEdition(edition, near.edition) ||
      !near.page.items.every(({ id }) => available.has(id))
    )
      return undefined;
    return (near.page = withNumbers(near.page, available));
  };
  const cacheInMemory = (
    key: string,
    page: SearchPage,
    edition: CacheVersion | undefined,
    freshUntilMs: number,
  ): SearchPage => {
    if (edition !== undefined) atHand.set(key, { edition, page, freshUntilMs });
    return page;
  };

  return {
    async search(params) {
      const nowMs = now();
      const filters = searchFilters(params, nowMs);
      if (!filters.ok) return filters;
      const key = pageKey(searchKey(params, filters.value));
      return flights(key, async () => {
        const near = await pageAtHand(key, nowMs);
        if (near !== undefined) {
          counts.hits += 1;
          return accepted(near);
        }
        const { edition, held, freshMs: heldMs = 0 } = await copies.page(key);
        if (edition === undefined) counts.redisSkipped += 1;
        const read = async (): Promise<Answer<SearchPage>> => {
          const { found, events, freshMs } = await findPage(database, filters.value, nowMs);
          const { available } = await copies.left(found.ids);
          const items = await withAvailable(events.map(rowOf), available);
          copies.keepPage(key, found, edition, freshMs);
          copies.keepEvents(events, edition);
          return accepted(
            cacheInMemory(
              key,
              { items, nextCursor: found.nextCursor },
              edition,
              nowMs + Math.min(freshMs, FRESH_MS),
            ),
          );
        };
        return layered(read, held, async (late) => {
          const page = held?.value as FoundPage;
          const found = await copies.events(page.ids);
          const items = await eventsFromCopies(page.ids, found, late);
          if (items === undefined) return undefined;
          const whole = { items, nextCursor: page.nextCursor };
          return late || !isSameEdition(edition, found.edition)
            ? whole
            : cacheInMemory(key, whole, edition, nowMs + heldMs);
        });
      }) as Promise<Answer<SearchPage>>;
    },

    get: (eventId, find) =>
      flights(eventId, async () => {
        const copied = await copies.events([eventId]);
        if (copied.edition === undefined) counts.redisSkipped += 1;
        const read = async (): Promise<Answer<EventView>> => {
          const event = await find();
          if (event === undefined) return refused("EVENT_NOT_FOUND");
          const [view] = await withAvailable([rowOf(event)], copied.available);
          copies.keepEvents([event], copied.edition);
          return view === undefined ? refused("EVENT_NOT_FOUND") : accepted(view);
        };
        return layered(
          read,
          copied.rows.get(eventId),
          async (late) => (await eventsFromCopies([eventId], copied, late))?.[0],
        );
      }) as Promise<Answer<EventView>>,

    filters: () =>
      flights("filters", async () => {
        const key = pageKey("filters");
        const { edition, held } = await copies.page(key);
        if (edition === undefined) counts.redisSkipped += 1;
        const read = async (): Promise<Answer<Filters>> => {
          const filters = await listFilters(database, now());
          copies.keepPage(key, filters, edition, FILTERS_FRESH_MS);
          return accepted(filters);
        };
        return layered(read, held, () => held?.value as Filters);
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
