import { accepted, type Answer } from "../../domain/refusal.ts";
import type { Database } from "../../mixins/database.ts";
import type { RedisClient } from "../../mixins/redis.ts";
import { availableOf } from "./availability.ts";
import type { EventRow, EventView } from "./event-view.ts";
import { searchFilters, type SearchParams, writeCursor } from "./search-filters.ts";
import { type GramShare, searchStatement } from "./search-statement.ts";

export type SearchPage = { items: EventView[]; nextCursor: string | null };

/** Can refuse with: VALIDATION_ERROR. Rejects when PostgreSQL is away; Redis may be. */
export async function searchEvents(
  { database, redis, share }: { database: Database; redis: RedisClient; share: GramShare },
  params: SearchParams,
  nowMs: number,
): Promise<Answer<SearchPage>> {
  const filters = searchFilters(params, nowMs);
  if (!filters.ok) return filters;
  const rows = await database.query<EventRow>(searchStatement(filters.value, share));
  const page = rows.slice(0, filters.value.limit);
  const last = page.at(-1);
  const available = await availableOf(
    database,
    redis,
    page.map(({ id }) => id),
  );
  return accepted({
    items: page.map((row) => ({ ...row, available: available.get(row.id) ?? 0 })),
    nextCursor: last !== undefined && rows.length > page.length ? writeCursor(last) : null,
  });
}
