import { LRUCache } from "lru-cache";
import type { MailEvent } from "../notification.ts";
import type { Language } from "./languages.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** 24 hours and the day before the month, as in most of Europe. */
const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", de: "de-DE" };

type When = Pick<MailEvent, "startsAtMs" | "timeZone" | "duration">;

/** Start and end in the event's time zone: Friday, 5 March 2027 at 20:00 – 22:00. */
export function spanText({ startsAtMs, timeZone, duration }: When, language: Language): string {
  const starts = new Date(startsAtMs);
  const ends = new Date(startsAtMs + duration * MINUTE_MS);
  const day = format(language, { dateStyle: "full", timeZone });
  const clock = format(language, { timeStyle: "short", timeZone });
  if (duration >= DAY_MINUTES)
    return (
      `${day.format(starts)}, ${clock.format(starts)} – ` +
      `${day.format(ends)}, ${clock.format(ends)}`
    );
  // An end after midnight needs no second date.
  const span = duration === 0 ? [starts] : [starts, ends];
  return `${day.format(starts)}, ${span.map((at) => clock.format(at)).join(" – ")}`;
}

/** Long name of the event's time zone: Central European Standard Time. */
export function zoneText({ startsAtMs, timeZone }: When, language: Language): string {
  const parts = format(language, { timeZone, timeZoneName: "long" }).formatToParts(
    new Date(startsAtMs),
  );
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? timeZone;
}

/** Making one takes a millisecond of CPU, a third of what a mail takes. */
const formats = new LRUCache<string, Intl.DateTimeFormat>({ max: 500 });

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([language, options]);
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = newFormat(language, options);
  formats.set(key, made);
  return made;
}

/** Falls back to UTC for a time zone that Node does not know. */
function newFormat(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(LOCALES[language], options);
  } catch {
    return new Intl.DateTimeFormat(LOCALES[language], { ...options, timeZone: "UTC" });
  }
}
