import cities from "city-timezones";
import type { EventRecord } from "../../domain/event-record.ts";
import { ConfigError } from "../../config/index.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { ACTS, CLUBS, FESTIVALS, SHOWS, SUBJECTS, WORKS, WORKSHOPS } from "./demo-names.ts";
import { type Random, pick, seededRandom } from "../testing/seeded-random.ts";
import { afterMinutes, momentOf, spanBetween } from "../feeds/local-time.ts";

const DAY_MS = 86_400_000;

/** Importer of the demo events. Belongs to no account. */
export const OPERATOR = {
  userId: "00000000-0000-0000-0000-000000000000",
  role: "operator",
} as const;

/** Names that the package misspells. */
const CORRECTED: Readonly<Record<string, string>> = { Shenyeng: "Shenyang" };

type City = { city: string; country: string; timezone: string; pop: number };
type Kind = {
  weight: number;
  /** The smallest and the largest capacity. */
  places: readonly [least: number, most: number];
  starts: readonly string[];
  minutes: readonly number[];
  name: (random: Random, city: City) => string;
};

const KINDS: Readonly<Record<string, Kind>> = {
  concert: {
    weight: 30,
    places: [80, 18_000],
    starts: ["19:30", "20:00", "21:00"],
    minutes: [120, 150, 180],
    name: concertName,
  },
  theatre: {
    weight: 14,
    places: [90, 1_800],
    starts: ["15:00", "19:00", "19:30"],
    minutes: [120, 165, 210],
    name: (random, city) => `${pick(WORKS, random)} – ${city.city}`,
  },
  football: {
    weight: 10,
    places: [1_500, 60_000],
    starts: ["15:30", "18:00", "20:45"],
    minutes: [115],
    name: matchName,
  },
  conference: {
    weight: 10,
    places: [80, 4_000],
    starts: ["09:00"],
    minutes: [540, 1_980],
    name: (random, city) => `${pick(SUBJECTS, random)} Conference ${city.city}`,
  },
  comedy: {
    weight: 12,
    places: [60, 2_500],
    starts: ["20:00", "20:30"],
    minutes: [90, 120],
    name: (random) => `${pick(SHOWS, random)} ${pick(ACTS, random)}`,
  },
  festival: {
    weight: 6,
    places: [800, 40_000],
    starts: ["12:00", "14:00"],
    minutes: [600, 2_880],
    name: (random, city) => `${pick(FESTIVALS, random)} ${city.city}`,
  },
  workshop: {
    weight: 10,
    places: [10, 40],
    starts: ["10:00", "18:00"],
    minutes: [180, 240],
    name: (random, city) => `${pick(WORKSHOPS, random)}, ${city.city}`,
  },
  exhibition: {
    weight: 8,
    places: [60, 900],
    starts: ["10:00"],
    minutes: [480],
    name: (random) => `${pick(ACTS, random)}: ${pick(SUBJECTS, random)}`,
  },
};

/**
 * Generates `count` invented events in real cities, on `days` days from the day after `todayMs`.
 * The same numbers give the same events; the source id of an event depends on its number only.
 * A capacity fits its type: a workshop has 40 places at most, a stadium 60,000.
 */
export function* demoEvents(count: number, todayMs: number, days: number): Generator<EventRecord> {
  const places = largestCities(400);
  const kinds = Object.entries(KINDS).flatMap(([type, kind]) =>
    Array.from({ length: kind.weight }, () => ({ type, kind })),
  );
  const random = seededRandom(20_270_101);
  for (let number = 1; number <= count; number++) {
    const city = pick(places, () => random() ** 2);
    const { type, kind } = pick(kinds, random);
    const date = new Date(todayMs + Math.ceil(random() * days) * DAY_MS).toISOString().slice(0, 10);
    const starts = momentOf(date, pick(kind.starts, random), city.timezone);
    yield {
      source: "demo",
      sourceId: `demo-${number}`,
      name: kind.name(random, city),
      type,
      location: city.city,
      country: city.country,
      url: `https://example.org/events/${number}`,
      timeZone: city.timezone,
      status: "scheduled",
      totalCapacity: capacity(kind.places, random),
      ...spanBetween(starts, afterMinutes(starts, pick(kind.minutes, random)), city.timezone),
    };
  }
}

/** Throws a ConfigError if the database has demo events, which production must not sell. */
export async function refuseDemoEvents(databaseUrl: string): Promise<void> {
  const database = openDatabase(databaseUrl, "long");
  try {
    const text =
      "SELECT count(*)::integer AS events FROM event WHERE source = 'demo' AND ends_at > now()";
    const [row] = await database.query<{ events: number }>({ text });
    if (row !== undefined && row.events > 0)
      throw new ConfigError([
        `DATABASE_URL holds ${row.events} events of the demo catalog, ` +
          "which production must not sell: use a new database",
      ]);
  } finally {
    await database.close();
  }
}

function largestCities(count: number): City[] {
  const distinct = new Map<string, City>();
  for (const one of cities.cityMapping) {
    const city = { ...one, city: CORRECTED[one.city] ?? one.city };
    const known = distinct.get(city.city);
    if (city.timezone && city.city && (known === undefined || known.pop < city.pop))
      distinct.set(city.city, city);
  }
  return [...distinct.values()]
    .sort((a, b) => b.pop - a.pop || a.city.localeCompare(b.city, "en"))
    .slice(0, count);
}

function concertName(random: Random, city: City): string {
  const act = pick(ACTS, random);
  return random() < 0.5
    ? act
    : random() < 0.5
      ? `${act} in ${city.city}`
      : `${act} & ${pick(ACTS, random)}`;
}

function matchName(random: Random, city: City): string {
  return `${city.city} ${pick(CLUBS, random)} – ${pick(CLUBS, random)} ${1890 + Math.floor(random() * 40)}`;
}

/** Small places are more frequent than large ones. Large ones have round numbers. */
function capacity([least, most]: Kind["places"], random: Random): number {
  const places = least * (most / least) ** (random() ** 1.5);
  const step = places < 100 ? 1 : places < 1_000 ? 10 : 100;
  return Math.round(places / step) * step;
}
