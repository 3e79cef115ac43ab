import { fold } from "../../../domain/text-folding.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import { cityKey } from "../events/city-key.ts";

export type Count = { value: string; count: number };
export type Filters = { locations: Count[]; types: Count[] };

/** Limit of a list to choose from. Other values are found by typing. */
const LIST_MAX = 1_000;

/**
 * Lists the cities and types of events that have not ended at `nowMs`, most events first, in the
 * spelling of their first event. A city is listed once, under the name that most of its events
 * have.
 */
export async function listFilters(database: Connection, nowMs: number): Promise<Filters> {
  const [locations, types] = await Promise.all([
    countBy(database, "location", nowMs),
    countBy(database, "type", nowMs),
  ]);
  return { locations: byCity(locations), types };
}

function byCity(locations: readonly Count[]): Count[] {
  const cities = new Map<string, Count>();
  for (const { value, count } of locations) {
    const key = cityKey(fold(value));
    const city = cities.get(key);
    if (city === undefined) cities.set(key, { value, count });
    else city.count += count;
  }
  return [...cities.values()].sort((one, other) => other.count - one.count);
}

async function countBy(
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
