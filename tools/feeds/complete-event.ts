import { type EventRecord, ownKey, recordProblem } from "../../domain/event-record.ts";
import { type Draft, UnusableRecord, type When } from "./draft-event.ts";
import { afterMinutes, momentOf, spanBetween, zoneNamed } from "./local-time.ts";
import { zoneOfCity, zoneOfCountry } from "./zones.ts";

/**
 * Defaults of the operator for what the feed leaves out. `startTime` is HH:MM; `durationMinutes` is
 * the length of the event's (last) day.
 */
export type FeedOptions = {
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

/** Completes a draft to an event record. Throws UnusableRecord with the reason if it cannot. */
export function completeEvent(draft: Draft, options: FeedOptions): EventRecord {
  const location = draft.location ?? ONLINE;
  const timeZone = zoneFor(draft, options);
  const startMs = startOf(draft.start, timeZone, options);
  const endMs = endOf(draft, startMs, timeZone, options);
  if (endMs <= startMs) throw new UnusableRecord("it ends before it starts");
  const span = spanBetween(startMs, endMs, timeZone);
  const { name } = draft;
  const record: EventRecord = {
    source: draft.source,
    sourceId: draft.id ?? ownKey({ name, date: span.date, location }),
    name,
    type: draft.type ?? options.type ?? draft.topic ?? TYPE,
    location,
    country: draft.country ?? null,
    url: draft.url ?? null,
    timeZone,
    status: draft.status ?? "scheduled",
    totalCapacity: draft.capacity ?? options.capacity ?? CAPACITY,
    ...span,
  };
  const problem = recordProblem(record);
  if (problem !== undefined) throw new UnusableRecord(problem);
  return record;
}

function zoneFor(
  { timeZone, location, country, feedTimeZone }: Draft,
  options: FeedOptions,
): string {
  if (timeZone !== undefined) {
    const zone = zoneNamed(timeZone);
    if (zone === undefined)
      throw new UnusableRecord(`time zone "${timeZone.slice(0, 40)}" is not known`);
    return zone;
  }
  return (
    options.timeZone ??
    (location === undefined ? undefined : zoneOfCity(location, country)) ??
    (feedTimeZone === undefined ? undefined : zoneNamed(feedTimeZone)) ??
    (country === undefined ? undefined : zoneOfCountry(country)) ??
    "UTC"
  );
}

function startOf(start: When, timeZone: string, options: FeedOptions): number {
  if ("instantMs" in start) return start.instantMs;
  return momentOf(start.date, start.time ?? options.startTime ?? START_TIME, timeZone);
}

function endOf(draft: Draft, startMs: number, timeZone: string, options: FeedOptions): number {
  const { end, durationMinutes } = draft;
  if (end !== undefined && "instantMs" in end) return end.instantMs;
  if (end?.time !== undefined) return momentOf(end.date, end.time, timeZone);
  if (durationMinutes !== undefined) return afterMinutes(startMs, durationMinutes);

  const local = spanBetween(startMs, startMs, timeZone);
  const lastDay = end?.date ?? local.date;
  if (lastDay < local.date)
    throw new UnusableRecord(`it ends (${lastDay}) before it starts (${local.date})`);
  const lastStartMs =
    lastDay === local.date ? startMs : momentOf(lastDay, local.startTime, timeZone);
  if (options.durationMinutes !== undefined)
    return afterMinutes(lastStartMs, options.durationMinutes);
  const eveningMs = momentOf(lastDay, END_TIME, timeZone);
  return eveningMs > lastStartMs ? eveningMs : afterMinutes(lastStartMs, LATE_MINUTES);
}
