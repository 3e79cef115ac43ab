import type { EventStatus } from "../../domain/event-record.ts";

/** Formats of feeds. The name of the format is also the `source` of its events. */
export const FORMATS = ["json", "schema.org", "icalendar", "conferences"] as const;
export type Format = (typeof FORMATS)[number];

/** A local date with an optional local time, or an instant. */
export type When = { date: string; time?: string } | { instantMs: number };

/** One event of a feed, in one shape for all formats. What the feed leaves out is absent. */
export type Draft = {
  source: Format;
  /** The record's own id. */
  id?: string;
  name: string;
  type?: string;
  /** Used as the type if neither the feed nor the operator names one. */
  topic?: string;
  /** A city; absent for an online event. */
  location?: string;
  country?: string;
  url?: string;
  start: When;
  end?: When;
  durationMinutes?: number;
  capacity?: number;
  /** Absent: scheduled. */
  status?: EventStatus;
  timeZone?: string;
  /** Time zone of the whole feed, for places that are not in the tables. */
  feedTimeZone?: string;
};

/** A record that cannot become an event. The message is one phrase for the operator. */
export class UnusableRecord extends Error {}

export type Raw = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Returns a field's text with white space and control characters collapsed to single spaces, or
 * undefined if it is empty. Accepts numbers. Throws UnusableRecord for other values and for text
 * that was not UTF-8.
 */
export function textOf(raw: Raw, field: string): string | undefined {
  const value = raw[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" && typeof value !== "number")
    throw new UnusableRecord(`${field} is not a text`);
  const text = tidyText(String(value));
  if (text.includes("\uFFFD"))
    throw new UnusableRecord(`${field} has broken characters (the feed is not UTF-8)`);
  return text === "" ? undefined : text;
}

export function tidyText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/** Returns a web address. Encodes spaces, which browsers accept and addresses cannot contain. */
export function urlOf(raw: Raw, field = "url"): string | undefined {
  return textOf(raw, field)?.replaceAll(" ", "%20");
}

/** Reads a whole number, also one written as text. Throws UnusableRecord otherwise. */
export function numberOf(raw: Raw, field: string): number | undefined {
  const value = raw[field];
  if (value === undefined || value === null || value === "") return undefined;
  const number =
    typeof value === "string" && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number))
    throw new UnusableRecord(`${field} is not a whole number`);
  return number;
}

export function requiredName(raw: Raw): string {
  const name = textOf(raw, "name");
  if (name === undefined) throw new UnusableRecord("name is missing");
  return name;
}

/**
 * Reads YYYY-MM-DD, or a date with a time and perhaps an offset (RFC 3339, seconds optional).
 * Throws UnusableRecord for anything else.
 */
export function whenOf(text: string, field: string): When {
  const parts =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(
      text,
    );
  const [, date, time, seconds = ":00", offset] = parts ?? [];
  if (date === undefined) throw new UnusableRecord(`${field} "${text.slice(0, 40)}" is not a date`);
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(date))
    throw new UnusableRecord(`${field} ${date} is not a day of the calendar`);
  if (time === undefined) return { date };
  if (Number.isNaN(Date.parse(`${date}T${time}${seconds}Z`)) || time.startsWith("24"))
    throw new UnusableRecord(`${field} ${time} is not a time of the day`);
  if (offset === undefined) return { date, time };
  const zone =
    offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset.toUpperCase();
  const instantMs = Date.parse(`${date}T${time}${seconds.slice(0, 7)}${zone}`);
  if (Number.isNaN(instantMs))
    throw new UnusableRecord(`${field} has an offset that does not exist`);
  return { instantMs };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Removes undefined fields, so that "absent" has one form. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Present<T>;
}
