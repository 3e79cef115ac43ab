import { Temporal } from "temporal-polyfill";
import { type EventRecord, ownKey, recordProblem } from "../../domain/event-record.ts";
import { type Draft, UnusableRecord, type When } from "./draft-event.ts";
import { afterMinutes, isUtc, momentOf, spanBetween, zoneNamed } from "./local-time.ts";
import { isZoneOfCountry, zoneOfCity, zoneOfCountry } from "./zones.ts";

/**
 * What the operator says about a feed: defaults for what it leaves out, and `source`, which keeps
 * its events apart from those of other feeds. `startTime` is HH:MM; `durationMinutes` is the length
 * of the event's (last) day.
 */
export type FeedOptions = {
  source?: string;
  capacity?: number;
  type?: string;
  startTime?: string;
  durationMinutes?: number;
  timeZone?: string;
};

const CAPACITY = 500;
const TYPE = "event";
const START_TIME = "09:00";
/**
 * End of an event without an end, on its last day. An event that starts later lasts LATE_MINUTES.
 */
const END_TIME = "18:00";
const LATE_MINUTES = 480;
const ONLINE = "Online";
const MINUTE_MS = 60_000;

/** Completes a draft to an event record. Throws UnusableRecord with the reason if it cannot. */
export function completeEvent(draft: Draft, options: FeedOptions): EventRecord {
  const location = draft.location ?? ONLINE;
  const timeZone = zoneFor(draft, options);
  const startMs = startOf(draft.start, timeZone, options);
  const endMs = endOf(draft, startMs, timeZone, options);
  if (endMs < startMs) throw new UnusableRecord("it ends before it starts");
  const span = spanBetween(startMs, endMs, timeZone);
  const { name } = draft;
  const record: EventRecord = {
    source: options.source ?? draft.source,
    sourceId: draft.id ?? ownKey({ name, date: span.date, location }),
    name,
    type: draft.type ?? options.type ?? draft.topic ?? TYPE,
    location,
    country: draft.country ?? null,
    url: draft.url ?? null,
    timeZone,
    status: draft.status ?? "scheduled",
    totalCapacity: draft.capacity ?? options.capacity ?? CAPACITY,
    ...(draft.sequence !== undefined && { sequence: draft.sequence }),
    ...span,
  };
  const problem = recordProblem(record);
  if (problem !== undefined) throw new UnusableRecord(problem);
  return record;
}

function zoneFor(draft: Draft, options: FeedOptions): string {
  const { timeZone, start, written } = draft;
  if (timeZone !== undefined && !(isUtc(timeZone) && draft.source === "icalendar")) {
    const zone = zoneNamed(timeZone);
    if (zone === undefined)
      throw new UnusableRecord(`time zone "${timeZone.slice(0, 40)}" is not known`);
    return zone;
  }
  const zones = possibleZones(draft, options);
  if (written === undefined || !("instantMs" in start)) return zones[0] ?? "UTC";
  const { date, time } = written;
  return (
    zones.find((zone) => momentOf(date, time, zone) === start.instantMs) ??
    fixedZone(Date.parse(`${date}T${time}Z`) - start.instantMs) ??
    zones[0] ??
    "UTC"
  );
}

/** Zones by what the operator and the feed say, most certain first. The place beats the feed. */
function possibleZones(
  { location, country, feedTimeZone }: Draft,
  options: FeedOptions,
): readonly string[] {
  const feed = feedTimeZone === undefined || isUtc(feedTimeZone) ? undefined : feedTimeZone;
  const feedFits = feed !== undefined && (country === undefined || isZoneOfCountry(feed, country));
  return [
    options.timeZone,
    location === undefined ? undefined : zoneOfCity(location, country),
    feedFits ? feed : undefined,
    country === undefined ? undefined : zoneOfCountry(country),
    feed,
  ].filter((zone) => zone !== undefined);
}

/** The zone of a constant offset, which IANA names with the sign of POSIX. */
function fixedZone(offsetMs: number): string | undefined {
  const hours = offsetMs / 3_600_000;
  return Number.isInteger(hours)
    ? zoneNamed(`Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`)
    : undefined;
}

function startOf(start: When, timeZone: string, options: FeedOptions): number {
  if ("instantMs" in start) return start.instantMs;
  return momentOf(start.date, start.time ?? options.startTime ?? START_TIME, timeZone);
}

/** An end in the minute of the start means that the end is not known. */
function endOf(draft: Draft, startMs: number, timeZone: string, options: FeedOptions): number {
  const endMs = givenEnd(draft, startMs, timeZone);
  if (endMs !== undefined && minuteOf(endMs) !== minuteOf(startMs)) return endMs;

  const local = spanBetween(startMs, startMs, timeZone);
  const { end } = draft;
  const lastDay = end !== undefined && "date" in end && endMs === undefined ? end.date : local.date;
  if (lastDay < local.date)
    throw new UnusableRecord(`it ends (${lastDay}) before it starts (${local.date})`);
  const lastStartMs =
    lastDay === local.date ? startMs : momentOf(lastDay, local.startTime, timeZone);
  if (options.durationMinutes !== undefined)
    return afterMinutes(lastStartMs, options.durationMinutes);
  const eveningMs = momentOf(lastDay, END_TIME, timeZone);
  return eveningMs > lastStartMs ? eveningMs : afterMinutes(lastStartMs, LATE_MINUTES);
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

function givenEnd(
  { end, duration, durationMinutes }: Draft,
  startMs: number,
  timeZone: string,
): number | undefined {
  if (end !== undefined && "instantMs" in end) return end.instantMs;
  if (end?.time !== undefined) return momentOf(end.date, end.time, timeZone);
  if (durationMinutes !== undefined) return afterMinutes(startMs, durationMinutes);
  if (duration === undefined || end !== undefined) return undefined;
  return Temporal.Instant.fromEpochMilliseconds(startMs).toZonedDateTimeISO(timeZone).add(duration)
    .epochMilliseconds;
}
