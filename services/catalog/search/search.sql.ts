import { searchGrams } from "../../../domain/text-folding.ts";
import type { Statement } from "../../../lib/database/pool.ts";
import { EVENT_COLUMNS } from "../events/event.model.ts";
import type { SearchFilters } from "./search-filters.ts";

/** Longer events have their own index, event_by_date_long, whose condition has the same number. */
const LONG_MINUTES = 4_320;
/** An event that is not long and began earlier is over in every time zone. */
const SHORT_DAYS = 5;
const DAY_MS = 86_400_000;
/** Events that are scanned in page order before the search uses the grams of the name. */
const SCAN_AHEAD_ROWS = 5_000;
/**
 * Matches of a name in one week above which the week is read by its date index instead of sorted.
 */
const WEEK_SORT_MIN = 500;
const ORDER = "ORDER BY date, starts_at, id";

/**
 * Builds the SQL of one search from parts that are merged in page order.
 *
 * - *earlier*: if only upcoming events are wanted, long events that began before all others that
 *   can still run.
 * - *near*: scans an index in page order until the page is full; for a name only the next
 *   SCAN_AHEAD_ROWS events.
 * - *far*: for a name whose page is not full after that, takes week by week the events that have
 *   all grams of the name. A rare or late name costs one empty index lookup per week. A week with
 *   many matches is read in page order.
 *
 * The planner cannot know which names come late, so the shape is chosen here. The statement has
 * no name, so that PostgreSQL plans each search with its own values.
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
  // A city, or a single day, has few enough events to read them all.
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
    const inDateOrder = `(SELECT count(*) FROM matches) = ${WEEK_SORT_MIN}`;
    steps.push(
      `near AS MATERIALIZED (
        SELECT id, date, starts_at FROM (
          SELECT id, date, starts_at, ends_at, name_key ${among(...recent)}
          ${ORDER} LIMIT ${SCAN_AHEAD_ROWS}
        ) AS next
        WHERE ${[...ends, ...name].join(" AND ")} ${page})`,
      `weeks (week) AS (
        (SELECT event_week(date) ${among(...recent)} ORDER BY date LIMIT 1)
        UNION ALL
        SELECT next.week FROM weeks CROSS JOIN LATERAL (
          SELECT event_week(date) AS week
          ${among("date >= event_week_start(weeks.week + 1)", ...until)} ORDER BY date LIMIT 1
        ) AS next)`,
      // OFFSET 0 stops the planner from joining the grams' matches with all events of a type or
      // range.
      `far AS MATERIALIZED (
        SELECT found.* FROM weeks CROSS JOIN LATERAL (
          WITH matches AS MATERIALIZED (
            SELECT id, date, starts_at FROM (
              SELECT * FROM event
              WHERE event_week_grams(date, name_key, type_key)
                @> event_week_keys(weeks.week, ${value(keys)}::text[]) OFFSET 0
            ) AS event
            WHERE ${[...recent, ...type, ...ends, ...name].join(" AND ")} LIMIT ${WEEK_SORT_MIN}
          )
          (SELECT id, date, starts_at FROM matches
            WHERE (SELECT count(*) FROM matches) < ${WEEK_SORT_MIN} ${page})
          UNION ALL
          (${found(...week, ...days, ...type, ...ends, ...name, inDateOrder)})
        ) AS found WHERE (SELECT count(*) FROM near) < ${limit} LIMIT ${limit})`,
    );
    parts.push(
      `SELECT id, date, starts_at FROM near WHERE (SELECT count(*) FROM near) = ${limit}`,
      "SELECT id, date, starts_at FROM far",
    );
  }
  steps.push(
    `page AS MATERIALIZED (
      SELECT * FROM (${parts.map((part) => `(${part})`).join(" UNION ALL ")}) AS part ${page})`,
  );
  return {
    text: `WITH RECURSIVE ${steps.join(", ")}
      SELECT ${EVENT_COLUMNS} FROM page JOIN event USING (id)
      ORDER BY event.date, event.starts_at, event.id`,
    values,
  };
}

type Ranges = { days: string[]; behind: string[]; earlier: string[] | undefined; until: string[] };

/**
 * Splits a search into date ranges: `days` of most events, and `earlier` for long events that
 * began before, if only upcoming ones are wanted. `behind` is the cursor's condition. `until` is
 * the last day alone, for a scan that starts behind the cursor: with IS TRUE PostgreSQL does not
 * start the scan at the cursor.
 */
function rangesOf(
  { firstDate, lastDate, endsAfter, after }: SearchFilters,
  value: (one: unknown) => string,
): Ranges {
  const until = lastDate === undefined ? [] : [`date <= ${value(lastDate)}::date`];
  const behind: string[] = [];
  if (after !== undefined)
    behind.push(
      `((date, starts_at, id) > (${value(after.date)}::date, ` +
        `${value(after.startsAt)}::timestamptz, ${value(after.id)}::uuid))`,
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
