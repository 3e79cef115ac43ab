import { Temporal } from "temporal-polyfill";
import { LRUCache } from "lru-cache";

/** Start and end of an event, in local time and in UTC. `duration` is in minutes. */
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

/**
 * Converts a local date (YYYY-MM-DD) and time (HH:MM) to UTC in milliseconds. A time in the gap of
 * spring moves behind the gap; a repeated time means the first one.
 */
export function momentOf(date: string, time: string, timeZone: string): number {
  const localMs = Date.parse(`${date}T${time}Z`);
  const offsetMs = offsetAround(localMs, timeZone);
  // Date.parse accepts February 30.
  if (offsetMs !== undefined && new Date(localMs).toISOString().startsWith(`${date}T${time}`))
    return localMs - offsetMs;
  return Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(timeZone, {
    disambiguation: "compatible",
  }).epochMilliseconds;
}

/** Returns the local span between two UTC instants (milliseconds). Drops seconds. */
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

/** Formats an instant as local text that begins with YYYY-MM-DDTHH:MM. */
function localText(ms: number, timeZone: string): string {
  const offsetMs =
    offsetAround(ms, timeZone) ??
    Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).offsetNanoseconds / 1e6;
  return new Date(ms + offsetMs).toISOString();
}

export function afterMinutes(startMs: number, minutes: number): number {
  return startMs + minutes * MINUTE_MS;
}

const offsets = new LRUCache<string, number | "changes">({ max: OFFSETS_MAX });

/**
 * Returns a zone's offset from UTC (milliseconds) if it is constant on the UTC day and the days
 * around it, else undefined. Cached: asking Temporal for each record is slow.
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

export function isUtc(timeZone: string): boolean {
  return /^(?:etc\/)?(?:u(?:tc|ct|niversal)|gmt(?:[+-]?0)?|zulu|greenwich)$/i.test(timeZone);
}

const zoneIds = new Map<string, string | undefined>();

/**
 * Returns the canonical IANA name, or undefined if unknown. Offsets such as +02:00 are not zones.
 */
export function zoneNamed(name: string): string | undefined {
  if (!zoneIds.has(name)) {
    let zone: string | undefined;
    try {
      zone = /^[+-]/.test(name)
        ? undefined
        : Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
    } catch {
      zone = undefined;
    }
    if (zoneIds.size > 10_000) zoneIds.clear();
    zoneIds.set(name, zone);
  }
  return zoneIds.get(name);
}
