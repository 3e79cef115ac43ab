import { Temporal } from "temporal-polyfill";
import { EVENT_LIMITS } from "../../../domain/event-record.ts";
import { type Draft, present, statusIn, UnusableRecord, type When } from "../draft-event.ts";
import { placeIn } from "../place-text.ts";
import { idText, readableText, webAddress } from "../readable-text.ts";
import { durationOf } from "../when.ts";
import { type Calendar, type CalendarEvent, propertyIn } from "./calendar-events.ts";
import { plainText } from "./content-lines.ts";
import { type EventTime, momentIn, timeOf, zoneIn } from "./event-time.ts";
import { zoneOfId } from "./zone-names.ts";

/**
 * Tells versions of one event apart (RFC 5546, 2.1.5). `uid` includes RECURRENCE-ID. `start` is
 * DTSTART as it is written.
 */
export type Version = { uid: string; start: string; sequence: number; stamp: string };

const TOPIC_MAX = 50;

/**
 * Reads a VEVENT. Refuses repeating events (RRULE, RDATE): each occurrence sells its own tickets,
 * so the feed must list them one by one. A changed occurrence (RECURRENCE-ID) is an event of its
 * own. Throws UnusableRecord.
 */
export function readCalendarEvent({ lines, calendar, fault }: CalendarEvent): Draft {
  if (fault !== undefined) throw new UnusableRecord(fault);
  const name = textIn(lines, "SUMMARY");
  if (name === undefined) throw new UnusableRecord("SUMMARY is missing");
  if (["RRULE", "RDATE"].some((rule) => propertyIn(lines, rule) !== undefined))
    throw new UnusableRecord("it repeats (RRULE): list each occurrence as an event of its own");
  const start = timeOf(lines, "DTSTART", calendar);
  if (start === undefined) throw new UnusableRecord("DTSTART is missing");
  const end = timeOf(lines, "DTEND", calendar);
  if (end !== undefined && (end.time === undefined) !== (start.time === undefined))
    throw new UnusableRecord("one of DTSTART and DTEND is a day, the other a time");
  if (
    end !== undefined &&
    start.utc &&
    !end.utc &&
    end.time !== undefined &&
    end.zone === undefined
  )
    throw new UnusableRecord("DTEND has no time zone, and DTSTART has");
  const place = propertyIn(lines, "LOCATION");
  return {
    source: "icalendar",
    name,
    ...present({
      id: versionOf(lines)?.uid,
      sequence: sequenceIn(lines),
      status:
        calendar.method === "CANCEL" ? "cancelled" : statusIn(textIn(lines, "STATUS")?.split(" ")),
      topic: topicIn(lines),
      url: webAddress(propertyIn(lines, "URL")?.value, "URL"),
      feedTimeZone: calendar.zone === undefined ? undefined : zoneOfId(calendar.zone),
    }),
    ...spanOf(start, end, end === undefined ? durationIn(lines) : undefined, calendar),
    ...(place === undefined
      ? {}
      : placeIn(readableText(plainText(place.value).replace(/\s*\n\s*/g, ", "), "LOCATION") ?? "")),
  };
}

/** Undefined: the event has no UID. */
export function versionOf(lines: readonly string[]): Version | undefined {
  const id = idText(plainText(propertyIn(lines, "UID")?.value ?? ""));
  if (id === undefined) return undefined;
  const occurrence = idText(propertyIn(lines, "RECURRENCE-ID")?.value ?? "");
  return {
    uid: occurrence === undefined ? id : `${id} ${occurrence}`,
    start: propertyIn(lines, "DTSTART")?.value.trim() ?? "",
    sequence: sequenceIn(lines) ?? 0,
    stamp: propertyIn(lines, "DTSTAMP")?.value.trim() ?? "",
  };
}

/** Undefined: the event has none, or one that is no number of a version. */
function sequenceIn(lines: readonly string[]): number | undefined {
  const text = propertyIn(lines, "SEQUENCE")?.value.trim() ?? "";
  const sequence = Number(text);
  const isVersion = /^\+?\d+$/.test(text) && sequence <= EVENT_LIMITS.sequenceMax;
  return isVersion ? sequence : undefined;
}

export function textIn(lines: readonly string[], name: string): string | undefined {
  const value = propertyIn(lines, name)?.value;
  return value === undefined ? undefined : readableText(plainText(value), name);
}

/** Returns the first category. */
function topicIn(lines: readonly string[]): string | undefined {
  const [first = ""] = propertyIn(lines, "CATEGORIES")?.value.split(/(?<!\\),/) ?? [];
  const topic = readableText(plainText(first), "CATEGORIES");
  return topic !== undefined && topic.length <= TOPIC_MAX ? topic : undefined;
}

function durationIn(lines: readonly string[]): Temporal.Duration | undefined {
  return durationOf(propertyIn(lines, "DURATION")?.value.trim(), "DURATION");
}

type Span = Pick<Draft, "start"> & Partial<Draft>;

/** Times in a zone become moments here, because only the file knows its zones. */
function spanOf(
  start: EventTime,
  end: EventTime | undefined,
  duration: Temporal.Duration | undefined,
  calendar: Calendar,
): Span {
  const { date, time, zone } = start;
  const startMs = momentIn(start);
  if (startMs === undefined || time === undefined) {
    const floating = floatingZone(calendar);
    return {
      start: time === undefined ? { date } : { date, time },
      ...present({
        end: endOf(end, start) ?? lastDayOf(start, duration),
        duration: time === undefined && isWholeDays(duration) ? undefined : duration,
        timeZone: floating,
      }),
    };
  }
  return {
    start: { instantMs: startMs },
    ...(zone === undefined
      ? {}
      : zone.iana === undefined
        ? { written: { date, time } }
        : { timeZone: zone.iana }),
    ...present({ end: endOf(end, start) ?? endAfter(start, duration) }),
  };
}

function endOf(end: EventTime | undefined, start: EventTime): When | undefined {
  if (end === undefined) return undefined;
  if (end.time === undefined && start.time === undefined)
    // The DTEND of whole days is the day after the last one.
    return { date: end.date > start.date ? dayAfter(end.date, -1) : end.date };
  const { date, time = "", utc } = end;
  const zone = end.zone ?? start.zone;
  const instantMs = momentIn({ date, time, utc, ...(zone === undefined ? {} : { zone }) });
  return instantMs === undefined ? { date, time } : { instantMs };
}

/** Days of a duration are days of the calendar, hours are exact (RFC 5545, 3.3.6). */
function endAfter(start: EventTime, duration: Temporal.Duration | undefined): When | undefined {
  if (duration === undefined || start.time === undefined) return undefined;
  const { years, months, weeks, days } = duration;
  const local = Temporal.PlainDateTime.from(`${start.date}T${start.time}`).add({
    years,
    months,
    weeks,
    days,
  });
  const [date = "", time = ""] = local.toString({ smallestUnit: "minute" }).split("T");
  const dayMs = momentIn({ ...start, date, time });
  const restMs = duration.with({ years: 0, months: 0, weeks: 0, days: 0 }).total("milliseconds");
  return dayMs === undefined ? undefined : { instantMs: dayMs + restMs };
}

function lastDayOf(start: EventTime, duration: Temporal.Duration | undefined): When | undefined {
  if (duration === undefined || start.time !== undefined || !isWholeDays(duration))
    return undefined;
  const next = Temporal.PlainDate.from(start.date).add(duration);
  return { date: next.subtract({ days: 1 }).toString() };
}

function isWholeDays(duration: Temporal.Duration | undefined): boolean {
  return duration?.with({ years: 0, months: 0, weeks: 0, days: 0 }).sign === 0;
}

function dayAfter(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/** The calendar's zone, for times that name none. UTC says less than the place of the event. */
function floatingZone(calendar: Calendar): string | undefined {
  if (calendar.zone === undefined) return undefined;
  return zoneIn(calendar.zone, calendar)?.iana ?? calendar.zone;
}
