import type { Connection } from "../../../lib/database/pool.ts";
import type { EventView, StoredEvent } from "../events/event.model.ts";
import { type SearchFilters, writeCursor } from "./search-filters.ts";
import { searchStatement } from "./search.sql.ts";

export type SearchPage = { items: EventView[]; nextCursor: string | null };

/** A page as it is found and kept: which events, in order, and where the next one begins. */
export type FoundPage = { ids: string[]; nextCursor: string | null };

/** Rejects when PostgreSQL is away. `freshMs`: until the first of these events ends, where only upcoming ones are listed. */
export async function findPage(
  database: Connection,
  filters: SearchFilters,
  nowMs: number,
): Promise<{ found: FoundPage; events: StoredEvent[]; freshMs: number }> {
  const rows = await database.query<StoredEvent>(searchStatement(filters));
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
