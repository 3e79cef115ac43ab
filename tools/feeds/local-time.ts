import { Temporal } from "temporal-polyfill";
import { FifoMap } from "../../lib/concurrency/fifo-map.ts";

/** A span of an event, in the words of its city and in UTC. `duration` is in minutes. */
export type Span = {
  date: string;
  startTime: string;
  endTime: string;
  duration: number;
  startsAt: string;
  endsAt: string;
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const OFFSETS_MAX = 50_000;

/** A day (YYYY-MM-DD) and a time (HH:MM) somewhere, as UTC in milliseconds. A time that the clocks skip in spring is moved behind the gap; one that they repeat means the first. */
export function momentOf(date: string, time: string, timeZone: string): number {
  const localMs = Date.parse(`${date}T${time}Z`);
  const offsetMs = offsetAround(localMs, timeZone);
  // Date would take the 30th of February, too.
  if (offsetMs !== undefined && new Date(localMs).toISOString().startsWith(`${date}T${time}`))
    return localMs - offsetMs;
  return Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(timeZone, {
    disambiguation: "compatible",
  }).epochMilliseconds;
}

/** What the walls' clocks of `timeZone` show from one moment (UTC in milliseconds) to another; seconds are dropped. */
export function spanBetween(startMs: number, endMs: number, timeZone: string): Span {
  const startMinute = Math.floor(startMs / MINUTE_MS);
  const endMinute = Math.floor(endMs / MINUTE_MS);
  const local = localText(startMinute * MINUTE_MS, timeZone);
  return {
    date: local.slice(0, 10),
    startTime: local.slice(11, 16),
    endTime: localText(endMinute * MINUTE_MS, timeZone).slice(11, 16),
    duration: endMinute - startMinute,
    startsAt: new Date(startMinute * MINUTE_MS).toISOString(),
    endsAt: new Date(endMinute * MINUTE_MS).toISOString(),
  };
}

/** YYYY-MM-DDTHH:MM and more. */
function localText(ms: number, timeZone: string): string {
  const offsetMs =
    offsetAround(ms, timeZone) ??
    Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).offsetNanoseconds / 1e6;
  return new Date(ms + offsetMs).toISOString();
}

export function afterMinutes(startMs: number, minutes: number): number {
  return startMs + minutes * MINUTE_MS;
}

const offsets = new FifoMap<string, number | "changes">(OFFSETS_MAX);

/**
 * How far a zone's clocks are ahead of UTC (milliseconds) on a UTC day and the days before and after it, which hold whatever is local to it; undefined where
 * they are changed within these, and for no moment at all. Asking Temporal for each record was a quarter of what a feed cost to read.
 */
function offsetAround(ms: number, timeZone: string): number | undefined {
  const day = Math.floor(ms / DAY_MS);
  if (Number.isNaN(day)) return undefined;
  const key = `${day} ${timeZone}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    const dayBefore = Temporal.Instant.fromEpochMilliseconds((day - 1) * DAY_MS).toZonedDateTimeISO(
      timeZone,
    );
    const change = dayBefore.getTimeZoneTransition("next");
    offset =
      change !== null && change.epochMilliseconds < (day + 2) * DAY_MS
        ? "changes"
        : dayBefore.offsetNanoseconds / 1e6;
    offsets.set(key, offset);
  }
  return offset === "changes" ? undefined : offset;
}

const known = new Map<string, string | undefined>();

/** The IANA name as the catalogue writes it, or undefined for a zone that this runtime does not know. Offsets such as +02:00 are no zones. */
export function zoneNamed(name: string): string | undefined {
  if (!known.has(name)) {
    let zone: string | undefined;
    try {
      zone = /^[+-]/.test(name)
        ? undefined
        : Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
    } catch {
      zone = undefined;
    }
    if (known.size > 10_000) known.clear();
    known.set(name, zone);
  }
  return known.get(name);
}
