import type { Connection } from "../../../lib/database/pool.ts";

export type Count = { value: string; count: number };
export type Filters = { locations: Count[]; types: Count[] };

/** Limit of a list to choose from. Other values are found by typing. */
const LIST_MAX = 1_000;

/**
 * Lists the cities and types of events that have not ended at `nowMs`, most events first, in the
 * spelling of their first event.
 */
export async function listFilters(database: Connection, nowMs: number): Promise<Filters> {
  const [locations, types] = await Promise.all([
    count(database, "location", nowMs),
    count(database, "type", nowMs),
  ]);
  return { locations, types };
}

async function count(
  database: Connection,
  column: "location" | "type",
  nowMs: number,
): Promise<Count[]> {
  return database.query<Count>({
    name: `catalog-filters-${column}`,
    text: `
      SELECT (
        SELECT ${column} FROM event WHERE ${column}_key = counted.key
        ORDER BY date, starts_at, id LIMIT 1
      ) AS value, counted.count
      FROM (
        SELECT ${column}_key AS key, count(*)::integer AS count
        FROM event WHERE ends_at > $1 GROUP BY ${column}_key
        ORDER BY count(*) DESC, ${column}_key LIMIT ${LIST_MAX}
      ) AS counted
      ORDER BY counted.count DESC, counted.key`,
    values: [new Date(nowMs)],
  });
}
