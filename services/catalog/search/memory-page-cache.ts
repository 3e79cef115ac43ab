import { LRUCache } from "lru-cache";
import type { CacheVersion } from "./redis-page-cache.ts";
import type { SearchPage } from "./find-page.ts";

/** Some 25 MB. */
const EVENTS_MAX = 40_000;

/** A page as this process gave it last, and of which edition of the catalogue. */
export type PageAtHand = {
  edition: CacheVersion;
  page: SearchPage;
  /** By the catalogue's clock. */
  freshUntilMs: number;
};

/**
 * Pages that need not be read from Redis and put together again: a rush asks the same thousand questions every second. Whoever takes one asks Redis which
 * edition stands and what is left of each event, and for nothing else. Those that were not asked for the longest are forgotten.
 */
export function createPagesAtHand(eventsMax = EVENTS_MAX): LRUCache<string, PageAtHand> {
  return new LRUCache({ maxSize: eventsMax, sizeCalculation: ({ page }) => page.items.length + 1 });
}

/** The page with these numbers, by event: the same object where none has changed, so that whoever has spelled it out knows it again. */
export function withNumbers(page: SearchPage, left: ReadonlyMap<string, number>): SearchPage {
  if (page.items.every(({ id, available }) => left.get(id) === available)) return page;
  return {
    ...page,
    items: page.items.map((item) => ({ ...item, available: left.get(item.id) ?? 0 })),
  };
}
