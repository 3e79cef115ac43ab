/** The formats that feeds come in; also the `source` of what is read from them. */
export const FORMATS = ["json", "schema.org", "icalendar", "conferences"] as const;
export type Format = (typeof FORMATS)[number];

/** A day and perhaps a time on the walls of some city, or a moment that is the same everywhere. */
export type When = { date: string; time?: string } | { instantMs: number };

/** What a feed says of one event, in one shape for all formats. What it does not say is absent. */
export type Draft = {
  source: Format;
  /** The record's own id. */
  id?: string;
  name: string;
  type?: string;
  /** Stands in for a type where neither the feed nor the operator names one. */
  topic?: string;
  /** A city; absent for an online event. */
  location?: string;
  country?: string;
  url?: string;
  start: When;
  end?: When;
  durationMinutes?: number;
  capacity?: number;
  timeZone?: string;
  /** A zone for the feed as a whole, for places that are not known. */
  feedTimeZone?: string;
};

/** A record that cannot be an event, and why: one phrase for the operator. Caught where records are read, never further. */
export class Unusable extends Error {}

export type Raw = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A field's text with white space and control characters made single spaces; undefined where there is none. Numbers count as text.
 * Throws Unusable for anything else, and for text that was not UTF-8.
 */
export function textOf(raw: Raw, field: string): string | undefined {
  const value = raw[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" && typeof value !== "number")
    throw new Unusable(`${field} is not a text`);
  const text = tidyText(String(value));
  if (text.includes("\uFFFD"))
    throw new Unusable(`${field} has broken characters (the feed is not UTF-8)`);
  return text === "" ? undefined : text;
}

export function tidyText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/** A web address as the feed writes it, but for blanks, which browsers forgive and addresses cannot have. */
export function urlOf(raw: Raw, field = "url"): string | undefined {
  return textOf(raw, field)?.replaceAll(" ", "%20");
}

/** A whole number, also where it is written as text. Throws Unusable otherwise. */
export function numberOf(raw: Raw, field: string): number | undefined {
  const value = raw[field];
  if (value === undefined || value === null || value === "") return undefined;
  const number =
    typeof value === "string" && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number))
    throw new Unusable(`${field} is not a whole number`);
  return number;
}

export function requiredName(raw: Raw): string {
  const name = textOf(raw, "name");
  if (name === undefined) throw new Unusable("name is missing");
  return name;
}

/** YYYY-MM-DD, or a date with a time and perhaps an offset (RFC 3339, seconds optional). Throws Unusable for what is neither. */
export function whenOf(text: string, field: string): When {
  const parts =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(
      text,
    );
  const [, date, time, seconds = ":00", offset] = parts ?? [];
  if (date === undefined) throw new Unusable(`${field} "${text.slice(0, 40)}" is not a date`);
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(date))
    throw new Unusable(`${field} ${date} is not a day of the calendar`);
  if (time === undefined) return { date };
  if (Number.isNaN(Date.parse(`${date}T${time}${seconds}Z`)) || time.startsWith("24"))
    throw new Unusable(`${field} ${time} is not a time of the day`);
  if (offset === undefined) return { date, time };
  const zone =
    offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset.toUpperCase();
  const instantMs = Date.parse(`${date}T${time}${seconds.slice(0, 7)}${zone}`);
  if (Number.isNaN(instantMs)) throw new Unusable(`${field} has an offset that does not exist`);
  return { instantMs };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined, so that "absent" has one form. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Present<T>;
}
