import type { Temporal } from "temporal-polyfill";
import type { EventStatus } from "../../domain/event-record.ts";
import { UnusableRecord } from "./feed-error.ts";
import { idText, readableText } from "./readable-text.ts";

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
  /** Address of a picture, fetched by `import --images` only. */
  image?: string;
  /** When its sale opens. Read, not stored so far. */
  onSaleAt?: When;
  start: When;
  /** Local time of `start` as the feed writes it, if no IANA zone belongs to it. */
  written?: { date: string; time: string };
  end?: When;
  /** Its days are days of the calendar. Used if there is no end. */
  duration?: Temporal.Duration;
  durationMinutes?: number;
  capacity?: number;
  /** Absent: scheduled. */
  status?: EventStatus;
  /** Version of the record, absent if the feed has none. */
  sequence?: number;
  timeZone?: string;
  /** Time zone of the whole feed, for places that are not in the tables. */
  feedTimeZone?: string;
};

export { UnusableRecord };

export type Raw = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Returns a field as people read it, or undefined if it is empty. Accepts numbers. Throws
 * UnusableRecord for other values and for text that was not UTF-8.
 */
export function textOf(raw: Raw, field: string): string | undefined {
  const value = valueOf(raw, field);
  return value === undefined ? undefined : readableText(value, field);
}

/** Returns an id as it is written. Throws UnusableRecord like textOf. */
export function idOf(raw: Raw, field: string): string | undefined {
  const value = valueOf(raw, field);
  return value === undefined ? undefined : idText(value);
}

function valueOf(raw: Raw, field: string): string | undefined {
  const value = raw[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" && typeof value !== "number")
    throw new UnusableRecord(`${field} is not a text`);
  return String(value);
}

/** Returns a web address. Encodes spaces, which browsers accept and addresses cannot contain. */
export function urlOf(raw: Raw, field = "url"): string | undefined {
  return textOf(raw, field)?.replaceAll(" ", "%20");
}

/**
 * Returns the status that words of a feed say, in any case: iCalendar's ("CANCELLED"), schema.org's
 * ("EventPostponed"), ours. Undefined: none of them stops the sale.
 */
export function statusIn(words: readonly string[] = []): EventStatus | undefined {
  const found = words.map((word) => /^(?:event)?(?:(cancell?ed)|(postponed))$/i.exec(word));
  if (found.some((word) => word?.[1] !== undefined)) return "cancelled";
  return found.some((word) => word?.[2] !== undefined) ? "postponed" : undefined;
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

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Removes undefined fields, so that "absent" has one form. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Present<T>;
}
