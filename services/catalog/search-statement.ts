import { searchGrams } from "../../domain/fold.ts";
import type { Statement } from "../../mixins/database.ts";
import { EVENT_COLUMNS } from "./event-view.ts";
import type { SearchFilters } from "./search-filters.ts";

/** Says which share of all names (0 to 1) has a gram; 0 for one that is seldom. */
export type GramShare = (gram: string) => number;

/**
 * Names whose rarest gram is in a larger share of all names than this are looked for in the order of the page. Both ways were measured on
 * 100,000 events: reading the matches of a gram costs some 1.5 µs a match, since rows lie anywhere; reading the index in order costs some
 * 0.3 µs an event until the page is full.
 */
const RARE_SHARE = 0.12;

/**
 * The SQL of one search. Two shapes, chosen here because the planner cannot know: it multiplies the shares of grams that always come together,
 * and takes matches to be spread evenly over the dates.
 * - *in order*: an index that gives the sort is read (and nothing but the index) from the cursor on until the page is full.
 * - *by grams*: all matches of a rare name come from the gram index and are sorted.
 *
 * Not prepared by name, so that each search is planned with its own values; a prepared statement's generic plan would not know the limit.
 */
export function searchStatement(filters: SearchFilters, share: GramShare): Statement {
  const values: unknown[] = [];
  const value = (one: unknown): string => `$${values.push(one)}`;
  const grams = searchGrams(filters.nameKey ?? "");
  const byGrams =
    grams.length > 0 &&
    filters.locationKey === undefined &&
    filters.firstDate !== filters.lastDate &&
    grams.some((gram) => share(gram) <= RARE_SHARE);

  const conditions = [`date >= ${value(filters.firstDate)}::date`];
  if (filters.lastDate !== undefined) conditions.push(`date <= ${value(filters.lastDate)}::date`);
  if (filters.endsAfter !== undefined) conditions.push(`ends_at > ${value(filters.endsAfter)}::timestamptz`);
  if (filters.locationKey !== undefined) conditions.push(`location_key = ${value(filters.locationKey)}`);
  if (filters.typeKey !== undefined) conditions.push(`type_key = ${value(filters.typeKey)}`);
  if (filters.nameKey !== undefined) conditions.push(`strpos(name_key, ${value(filters.nameKey)}) > 0`);
  if (byGrams) conditions.push(`event_name_grams(name_key) @> ${value(grams)}::text[]`);
  if (filters.after !== undefined) {
    const { date, startsAt, id } = filters.after;
    conditions.push(`(date, starts_at, id) > (${value(date)}::date, ${value(startsAt)}::timestamptz, ${value(id)}::uuid)`);
  }

  const found = `SELECT id, date, starts_at FROM event WHERE ${conditions.join(" AND ")}`;
  const page = `ORDER BY date, starts_at, id LIMIT ${value(filters.limit + 1)}`;
  return {
    text: byGrams
      ? `WITH found AS MATERIALIZED (${found}), page AS MATERIALIZED (SELECT id FROM found ${page})
         SELECT ${EVENT_COLUMNS} FROM page JOIN event USING (id) ORDER BY event.date, event.starts_at, event.id`
      : `WITH page AS MATERIALIZED (${found} ${page})
         SELECT ${EVENT_COLUMNS} FROM page JOIN event USING (id) ORDER BY event.date, event.starts_at, event.id`,
    values,
  };
}
