import { searchGrams } from "../../../domain/text-folding.ts";
import type { Statement } from "../../../lib/database/pool.ts";
import { cityKey } from "../events/city-key.ts";
import { EVENT_COLUMNS } from "../events/event.model.ts";
import { hasWord, type QueryWord } from "./query-words.ts";
import type { SearchFilters } from "./search-filters.ts";

/** Longer events have their own index, event_by_date_long, whose condition has the same number. */
const LONG_MINUTES = 4_320;
/** An event that is not long and began earlier is over in every time zone. */
const SHORT_DAYS = 5;
const DAY_MS = 86_400_000;
/** Events that are scanned in page order before the search uses the grams of the name. */
const SCAN_AHEAD_ROWS = 5_000;
/** Fewer if the city is searched too, which the index by date does not have. */
const SCAN_AHEAD_ROWS_OF_QUERY = 500;
/** Words of a query whose grams are looked up. The others are compared. */
const INDEXED_WORDS_MAX = 3;
/**
 * Matches of a name in one week above which the week is read by its date index instead of sorted.
 */
const WEEK_SORT_MIN = 500;
const ORDER = "ORDER BY date, starts_at, id";
const NAME_GRAMS = "event_week_grams(date, name_key, type_key)";
const CITY_KEYS = "event_week_city(date, name_key, location_key, city_key, type_key)";

/**
 * Builds the SQL of one search from parts that are merged in page order.
 *
 * - *earlier*: if only upcoming events are wanted, long events that began before all others that
 *   can still run.
 * - *near*: scans an index in page order until the page is full; for a text only the next
 *   SCAN_AHEAD_ROWS events.
 * - *far*: for a name or a query whose page is not full after that, takes week by week the events
 *   that have all grams of it. A rare or late name costs one empty index lookup per week. A week
 *   with many matches is read in page order.
 *
 * The planner cannot know which names come late, so the shape is chosen here. The statement has
 * no name, so that PostgreSQL plans each search with its own values.
 */
export function searchStatement(filters: SearchFilters): Statement {
  const values: unknown[] = [];
  const value = (one: unknown): string => `$${values.push(one)}`;
  const { query = [], nameKey, typeKey, locationKey, endsAfter } = filters;
  const { days, behind, earlier, until } = rangesOf(filters, value);
  const recent = [...days, ...behind];
  const type = typeKey === undefined ? [] : [`type_key = ${value(typeKey)}`];
  const ends = endsAfter === undefined ? [] : [`ends_at > ${value(endsAfter)}::timestamptz`];
  const text = [
    ...(nameKey === undefined ? [] : [`strpos(name_key, ${value(nameKey)}) > 0`]),
    ...query.map((word) => hasWord(word, value)),
  ];
  const limit = value(filters.limit + 1);
  const page = `${ORDER} LIMIT ${limit}`;
  const found = (...conditions: string[]): string =>
    `SELECT id, date, starts_at FROM event WHERE ${conditions.join(" AND ")} ${page}`;

  const parts: string[] = [];
  const steps: string[] = [];
  const places = locationKey === undefined ? [[]] : placesOf(locationKey, value);
  // A city, or a single day, has few enough events to read them all.
  const isByWeek =
    text.length > 0 && locationKey === undefined && filters.firstDate !== filters.lastDate;
  for (const place of places) {
    if (earlier !== undefined) parts.push(found(...earlier, ...type, ...place, ...ends, ...text));
    if (!isByWeek) parts.push(found(...recent, ...type, ...place, ...ends, ...text));
  }
  if (isByWeek) {
    const among = (...conditions: string[]): string =>
      `FROM event WHERE ${[...conditions, ...type].join(" AND ")}`;
    const week = [
      "date >= event_week_start(weeks.week)",
      "date < event_week_start(weeks.week + 1)",
      ...behind.map((one) => `${one} IS TRUE`),
    ];
    const inDateOrder = `(SELECT count(*) FROM matches) = ${WEEK_SORT_MIN}`;
    const ahead = query.length === 0 ? SCAN_AHEAD_ROWS : SCAN_AHEAD_ROWS_OF_QUERY;
    const compared = query.length === 0 ? "name_key" : "name_key, location_key, city_key";
    steps.push(
      `near AS MATERIALIZED (
        SELECT id, date, starts_at FROM (
          SELECT id, date, starts_at, ends_at, ${compared} ${among(...recent)}
          ${ORDER} LIMIT ${ahead}
        ) AS next
        WHERE ${[...ends, ...text].join(" AND ")} ${page})`,
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
              WHERE ${indexedConditions(filters, value).join(" AND ")} OFFSET 0
            ) AS event
            WHERE ${[...recent, ...type, ...ends, ...text].join(" AND ")} LIMIT ${WEEK_SORT_MIN}
          )
          (SELECT id, date, starts_at FROM matches
            WHERE (SELECT count(*) FROM matches) < ${WEEK_SORT_MIN} ${page})
          UNION ALL
          (${found(...week, ...days, ...type, ...ends, ...text, inDateOrder)})
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

type Value = (one: unknown) => string;

/**
 * Conditions of the disjoint parts of a city: events whose location is spelled like this, which is
 * all that is known of events that an older release has stored; events whose location is the
 * city's key; events with another name of the city.
 */
function placesOf(locationKey: string, value: Value): string[][] {
  const key = cityKey(locationKey);
  const spelled = value(locationKey);
  const city = key === locationKey ? spelled : value(key);
  return [
    [`location_key = ${spelled}`],
    ...(key === locationKey ? [] : [[`location_key = ${city}`]]),
    [`city_key = ${city}`, `location_key <> ${spelled}`],
  ];
}

/**
 * Conditions that the indexes by week answer. Necessary for a name and a query, not sufficient. Of
 * a query, words that few words of events contain; if it has none, the grams of the longest.
 */
function indexedConditions(
  { nameKey, query = [], typeKey }: SearchFilters,
  value: Value,
): string[] {
  const type = typeKey === undefined ? [] : [`=${typeKey}`];
  const keys = (operator: string, found: string[]): string =>
    `${operator} event_week_keys(weeks.week, ${value(found)}::text[])`;
  const grams = (text: string): string => keys("@>", [...searchGrams(text), ...type]);
  const oneOf = (found: readonly string[]): string =>
    `${CITY_KEYS} ${keys(
      "&&",
      found.map((word) => `~${word}`),
    )}`;
  const words = query.flatMap((word) => word.words ?? []);
  if (words.length > 0)
    return [
      ...(type.length === 0 ? [] : [`${CITY_KEYS} ${keys("@>", type)}`]),
      ...query.flatMap((word) => (word.words === undefined ? [] : [oneOf(word.words)])),
    ];
  const ways = ({ texts, similar }: QueryWord): string[] => [
    ...texts.flatMap((text) => [`${NAME_GRAMS} ${grams(text)}`, `${CITY_KEYS} ${grams(text)}`]),
    ...(similar.length === 0 ? [] : [oneOf(similar)]),
  ];
  return [
    ...(nameKey === undefined ? [] : [`${NAME_GRAMS} ${grams(nameKey)}`]),
    ...query.slice(0, INDEXED_WORDS_MAX).map((word) => `(${ways(word).join(" OR ")})`),
  ];
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
