import { Temporal } from "temporal-polyfill";

/** A span of an event, in the words of its city and in UTC. `duration` is in minutes. */
export type Span = { date: string; startTime: string; endTime: string; duration: number; startsAt: string; endsAt: string };

/** A day (YYYY-MM-DD) and a time (HH:MM) somewhere. A time that the clocks skip in spring is moved behind the gap; one that they repeat means the first. */
export function momentOf(date: string, time: string, timeZone: string): Temporal.Instant {
  return Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(timeZone, { disambiguation: "compatible" }).toInstant();
}

/** What the walls' clocks of `timeZone` show from one moment to another; seconds are dropped. */
export function spanBetween(start: Temporal.Instant, end: Temporal.Instant, timeZone: string): Span {
  const startMinute = Math.floor(start.epochMilliseconds / 60_000);
  const endMinute = Math.floor(end.epochMilliseconds / 60_000);
  const local = Temporal.Instant.fromEpochMilliseconds(startMinute * 60_000).toZonedDateTimeISO(timeZone);
  const localEnd = Temporal.Instant.fromEpochMilliseconds(endMinute * 60_000).toZonedDateTimeISO(timeZone);
  return {
    date: local.toPlainDate().toString(),
    startTime: local.toPlainTime().toString({ smallestUnit: "minute" }),
    endTime: localEnd.toPlainTime().toString({ smallestUnit: "minute" }),
    duration: endMinute - startMinute,
    startsAt: new Date(startMinute * 60_000).toISOString(),
    endsAt: new Date(endMinute * 60_000).toISOString(),
  };
}

export function afterMinutes(start: Temporal.Instant, minutes: number): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(start.epochMilliseconds + minutes * 60_000);
}

const known = new Map<string, string | undefined>();

/** The IANA name as the catalogue writes it, or undefined for a zone that this runtime does not know. Offsets such as +02:00 are no zones. */
export function zoneNamed(name: string): string | undefined {
  if (!known.has(name)) {
    let zone: string | undefined;
    try {
      zone = /^[+-]/.test(name) ? undefined : Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
    } catch {
      zone = undefined;
    }
    if (known.size > 10_000) known.clear();
    known.set(name, zone);
  }
  return known.get(name);
}

export function instantOf(ms: number): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(ms);
}
