import type { Connection } from "../../../lib/database/pool.ts";
import type { EventView, StoredEvent } from "../events/event.model.ts";
import { withEventWords } from "./query-words.ts";
import { type SearchFilters, writeCursor } from "./search-filters.ts";
import { searchStatement } from "./search.sql.ts";

export type SearchPage = { items: EventView[]; nextCursor: string | null };

/** A page as it is cached: event ids in order, and the cursor of the next page. */
export type FoundPage = { ids: string[]; nextCursor: string | null };

/**
 * Finds a page in PostgreSQL. `freshMs`: time until its first event ends, if only upcoming events
 * are listed. Rejects if PostgreSQL is down.
 */
export async function findPage(
  database: Connection,
  filters: SearchFilters,
  nowMs: number,
): Promise<{ found: FoundPage; events: StoredEvent[]; freshMs: number }> {
  const rows = await findRows(database, filters);
  const events = rows.slice(0, filters.limit);
  const last = events.at(-1);
  return {
    found: {
      ids: events.map(({ id }) => id),
      nextCursor: last !== undefined && rows.length > events.length ? writeCursor(last) : null,
    },
    events,
    freshMs:
      filters.endsAfter === undefined
        ? Infinity
        : Math.min(...events.map(({ endsAtMs }) => endsAtMs - nowMs)),
  };
}

async function findRows(database: Connection, filters: SearchFilters): Promise<StoredEvent[]> {
  if (filters.query === undefined) return database.query<StoredEvent>(searchStatement(filters));
  const query = await withEventWords(database, filters.query);
  return database.query<StoredEvent>(searchStatement({ ...filters, query }));
}
