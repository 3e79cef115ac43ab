import { searchGrams } from "../../../domain/text-folding.ts";
import type { Statement } from "../../../lib/database/pool.ts";
import { EVENT_COLUMNS } from "../events/event.model.ts";
import type { SearchFilters } from "./search-filters.ts";

/** What lasts longer has an index of its own, event_by_date_long, whose condition names the same number. */
const LONG_MINUTES = 4_320;
/** What began earlier and does not last longer is over, in every time zone. */
const SHORT_DAYS = 5;
const DAY_MS = 86_400_000;
/** So many events are looked at in the order of the page before a name is looked for by its grams: 0.3 µs each. */
const SCAN_AHEAD_ROWS = 5_000;
/** Where a week has so many events of a name, its index by date soon gives a page of them, and reading them all would cost more: 1.5 µs each. */
const WEEK_SORT_MIN = 500;
const ORDER = "ORDER BY date, starts_at, id";

/**
 * The SQL of one search: parts that are put together in the order of the page.
 * - *long*: where only what is not over is wanted, the few that last for days and began before all others that can still go on.
 * - *near*: an index that gives the order is read, and nothing but the index, until the page is full; for a name, in the next 5,000 events only.
 * - *far*: for a name whose page is not full by then: week by week, what has all of the name's grams in that week. A name that is rare, absent or late
 *   costs an empty look a week; where a week has many, it is read in the order of the page.
 *
 * The planner cannot know which names come late, so the shape is chosen here. Not prepared by name, so that each search is planned with its own values.
 */
export function searchStatement(filters: SearchFilters): Statement {
  const values: unknown[] = [];
  const value = (one: unknown): string => `$${values.push(one)}`;
  const { days, behind, earlier, until } = rangesOf(filters, value);
  const recent = [...days, ...behind];
  const type = filters.typeKey === undefined ? [] : [`type_key = ${value(filters.typeKey)}`];
  const place =
    filters.locationKey === undefined ? [] : [`location_key = ${value(filters.locationKey)}`];
  const ends =
    filters.endsAfter === undefined ? [] : [`ends_at > ${value(filters.endsAfter)}::timestamptz`];
  const name =
    filters.nameKey === undefined ? [] : [`strpos(name_key, ${value(filters.nameKey)}) > 0`];
  const limit = value(filters.limit + 1);
  const page = `${ORDER} LIMIT ${limit}`;
  const found = (...conditions: string[]): string =>
    `SELECT id, date, starts_at FROM event WHERE ${conditions.join(" AND ")} ${page}`;

  const parts =
    earlier === undefined ? [] : [found(...earlier, ...type, ...place, ...ends, ...name)];
  const steps: string[] = [];
  // A city, and a day, have few enough events to read them all.
  const grams =
    filters.locationKey === undefined && filters.firstDate !== filters.lastDate
      ? searchGrams(filters.nameKey ?? "")
      : [];
  if (grams.length === 0) parts.push(found(...recent, ...type, ...place, ...ends, ...name));
  else {
    const among = (...conditions: string[]): string =>
      `FROM event WHERE ${[...conditions, ...type].join(" AND ")}`;
    const keys = filters.typeKey === undefined ? grams : [...grams, `=${filters.typeKey}`];
    const week = [
      "date >= event_week_start(weeks.week)",
      "date < event_week_start(weeks.week + 1)",
      ...behind.map((one) => `${one} IS TRUE`),
    ];
    steps.push(
      `near AS MATERIALIZED (
        SELECT id, date, starts_at FROM (SELECT id, date, starts_at, ends_at, name_key ${among(...recent)} ${ORDER} LIMIT ${SCAN_AHEAD_ROWS}) AS next
        WHERE ${[...ends, ...name].join(" AND ")} ${page})`,
      `weeks (week) AS (
        (SELECT event_week(date) ${among(...recent)} ORDER BY date LIMIT 1)
        UNION ALL
        SELECT next.week FROM weeks CROSS JOIN LATERAL (
          SELECT event_week(date) AS week ${among("date >= event_week_start(weeks.week + 1)", ...until)} ORDER BY date LIMIT 1) AS next)`,
      // OFFSET 0 keeps the planner from joining the grams' matches with those of a whole type or of all days to come, week by week.
      `far AS MATERIALIZED (
        SELECT found.* FROM weeks CROSS JOIN LATERAL (
          WITH matches AS MATERIALIZED (
            SELECT id, date, starts_at FROM (
              SELECT * FROM event WHERE event_week_grams(date, name_key, type_key) @> event_week_keys(weeks.week, ${value(keys)}::text[]) OFFSET 0) AS event
            WHERE ${[...recent, ...type, ...ends, ...name].join(" AND ")} LIMIT ${WEEK_SORT_MIN})
          (SELECT id, date, starts_at FROM matches WHERE (SELECT count(*) FROM matches) < ${WEEK_SORT_MIN} ${page})
          UNION ALL
          (${found(...week, ...days, ...type, ...ends, ...name, `(SELECT count(*) FROM matches) = ${WEEK_SORT_MIN}`)})
        ) AS found WHERE (SELECT count(*) FROM near) < ${limit} LIMIT ${limit})`,
    );
    parts.push(
      `SELECT id, date, starts_at FROM near WHERE (SELECT count(*) FROM near) = ${limit}`,
      "SELECT id, date, starts_at FROM far",
    );
  }
  steps.push(
    `page AS MATERIALIZED (SELECT * FROM (${parts.map((part) => `(${part})`).join(" UNION ALL ")}) AS part ${page})`,
  );
  return {
    text: `WITH RECURSIVE ${steps.join(", ")}
      SELECT ${EVENT_COLUMNS} FROM page JOIN event USING (id) ORDER BY event.date, event.starts_at, event.id`,
    values,
  };
}

type Ranges = { days: string[]; behind: string[]; earlier: string[] | undefined; until: string[] };

/**
 * The days of a search and what its cursor is `behind`: of most events, and, where only what is not over is wanted, of long ones that began before. `until`:
 * its last day alone, for a scan that begins behind the cursor anyway, since PostgreSQL would begin it at the cursor. Where `behind` is said IS TRUE, it does not.
 */
function rangesOf(
  { firstDate, lastDate, endsAfter, after }: SearchFilters,
  value: (one: unknown) => string,
): Ranges {
  const until = lastDate === undefined ? [] : [`date <= ${value(lastDate)}::date`];
  const behind: string[] = [];
  if (after !== undefined)
    behind.push(
      `((date, starts_at, id) > (${value(after.date)}::date, ${value(after.startsAt)}::timestamptz, ${value(after.id)}::uuid))`,
    );
  const cut =
    endsAfter === undefined
      ? firstDate
      : new Date(Date.parse(endsAfter) - SHORT_DAYS * DAY_MS).toISOString().slice(0, 10);
  if (cut <= firstDate)
    return {
      days: [`date >= ${value(firstDate)}::date`, ...until],
      behind,
      earlier: undefined,
      until,
    };
  const recent = value(cut);
  return {
    days: [`date >= ${recent}::date`, ...until],
    behind,
    earlier: [
      `duration > ${LONG_MINUTES}`,
      `date >= ${value(firstDate)}::date`,
      `date < ${recent}::date`,
      ...until,
      ...behind,
    ],
    until,
  };
}
