import { LRUCache } from "lru-cache";
import type { CacheVersion } from "./redis-page-cache.ts";
import type { SearchPage } from "./find-page.ts";

/** About 25 MB. */
const EVENTS_MAX = 40_000;

/** A page with the cache version under which it was read. */
export type MemoryPage = {
  version: CacheVersion;
  page: SearchPage;
  /** By the catalog's clock. */
  freshUntilMs: number;
};

/**
 * Caches assembled pages in memory (LRU), since a rush repeats the same thousand searches every
 * second. A hit asks Redis only for the cache version and the availability of each event.
 */
export function createMemoryPages(eventsMax = EVENTS_MAX): LRUCache<string, MemoryPage> {
  return new LRUCache({ maxSize: eventsMax, sizeCalculation: ({ page }) => page.items.length + 1 });
}

/**
 * Updates the availability of a page. Returns the same object if nothing changed, so that the
 * gateway can reuse its JSON.
 */
export function withAvailability(
  page: SearchPage,
  available: ReadonlyMap<string, number>,
): SearchPage {
  if (page.items.every((item) => available.get(item.id) === item.available)) return page;
  return {
    ...page,
    items: page.items.map((item) => ({ ...item, available: available.get(item.id) ?? 0 })),
  };
}
