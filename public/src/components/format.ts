import i18next from "i18next";
import type { Event } from "../api/types.ts";

const MINUTE_MS = 60_000;

/** Prefers the browser's regional variant of the page's language. */
function locale(): string {
  return (
    navigator.languages.find((tag) => tag.split("-")[0] === i18next.language) ?? i18next.language
  );
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Falls back to UTC if the browser does not know the time zone. */
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale()} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (found === undefined) {
    try {
      found = new Intl.DateTimeFormat(locale(), options);
    } catch {
      found = new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" });
    }
    formats.set(key, found);
  }
  return found;
}

/** Formats a calendar day (YYYY-MM-DD), independent of the local time zone. */
export function dayText(day: string, style: "full" | "long" | "medium" = "full"): string {
  return format({ dateStyle: style, timeZone: "UTC" }).format(new Date(day));
}

export function dayParts(day: string): { weekday: string; day: string; month: string } {
  const date = new Date(day);
  const part = (options: Intl.DateTimeFormatOptions): string =>
    format({ ...options, timeZone: "UTC" }).format(date);
  return {
    weekday: part({ weekday: "short" }),
    day: part({ day: "numeric" }),
    month: part({ month: "short" }),
  };
}

type When = Pick<Event, "startsAt" | "timeZone" | "duration">;

/** Start in the event's time zone: 20:00. */
export function clockOf({ startsAt, timeZone }: When): string {
  return format({ hour: "2-digit", minute: "2-digit", timeZone }).format(new Date(startsAt));
}

export function endOf({ startsAt, duration }: Pick<When, "startsAt" | "duration">): Date {
  return new Date(Date.parse(startsAt) + duration * MINUTE_MS);
}

/** Start and end in the event's time zone. With days if it lasts longer than one. */
export function spanText({ startsAt, timeZone, duration }: When): string {
  const starts = new Date(startsAt);
  const ends = endOf({ startsAt, duration });
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", timeZone };
  if (duration >= 24 * 60)
    return format({ day: "numeric", month: "short", ...clock }).formatRange(starts, ends);
  // An end after midnight needs no second date.
  return `${format(clock).format(starts)} – ${format(clock).format(ends)}`;
}

/** Long name of the time zone: Central European Standard Time. */
export function zoneText({ startsAt, timeZone }: When): string {
  const parts = format({ timeZone, timeZoneName: "long" }).formatToParts(new Date(startsAt));
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? timeZone;
}

/** Start in the visitor's time zone. Undefined if it reads the same as the event's. */
export function localStartText(when: When): string | undefined {
  const wall = (timeZone?: string): string =>
    format({
      dateStyle: "medium",
      timeStyle: "short",
      ...(timeZone !== undefined && { timeZone }),
    }).format(new Date(when.startsAt));
  return wall() === wall(when.timeZone) ? undefined : wall();
}

export function momentText(instant: string): string {
  return format({ dateStyle: "medium", timeStyle: "short" }).format(new Date(instant));
}

/** Local time with seconds. */
export function clockText(instant: string): string {
  return format({ timeStyle: "medium" }).format(new Date(instant));
}

export function numberText(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(locale(), options).format(value);
}

/** City and country, as far as the feed names it: Berlin, Germany. */
export function placeText({ location, country }: Pick<Event, "location" | "country">): string {
  return country === null ? location : `${location}, ${country}`;
}
