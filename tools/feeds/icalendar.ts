import ical, { type VEvent } from "node-ical";
import { type Draft, present, tidyText, UnusableRecord, type When } from "./draft-event.ts";
import { FeedError } from "./feed-error.ts";
import { zoneNamed } from "./local-time.ts";
import { placeIn } from "./place-text.ts";

const EVENT_LENGTH_MAX = 1024 * 1024;

/** One VEVENT as text, with the calendar's zone for moments that name none. */
export type CalendarEvent = { text: string; zone?: string };

/**
 * Splits a calendar into its VEVENTs and skips other components. Throws FeedError if it is cut
 * off.
 */
export async function* calendarEvents(
  chunks: AsyncIterable<string>,
): AsyncGenerator<CalendarEvent> {
  let event: string[] | undefined;
  let length = 0;
  let zone: string | undefined;
  let number = 0;
  for await (const line of linesOf(chunks)) {
    number += 1;
    const word = line.trimEnd().toUpperCase();
    if (word === "BEGIN:VEVENT") [event, length] = [[], 0];
    else if (word.startsWith("X-WR-TIMEZONE:")) zone = line.slice("X-WR-TIMEZONE:".length).trim();
    if (event === undefined) continue;
    event.push(line);
    length += line.length;
    if (length > EVENT_LENGTH_MAX)
      throw new FeedError(`the event that ends after line ${number} is longer than 1 MiB`);
    if (word !== "END:VEVENT") continue;
    yield { text: event.join("\r\n"), ...(zone === undefined ? {} : { zone }) };
    event = undefined;
  }
  if (event !== undefined)
    throw new FeedError(`the calendar breaks off in an event, at line ${number}`);
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split(/\r\n|\n/);
    rest = lines.pop() ?? "";
    if (rest.length > EVENT_LENGTH_MAX) throw new FeedError("a line is longer than 1 MiB");
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/**
 * Reads a VEVENT. Refuses repeating events (RRULE, RDATE): each occurrence
 * sells its own tickets, so the feed must list them one by one. A changed occurrence
 * (RECURRENCE-ID) is an event of its own. node-ical unfolds and unescapes; times are parsed here
 * from the unfolded lines, because node-ical reads times without a zone in the zone of this
 * machine.
 */
export function readCalendarEvent({ text, zone }: CalendarEvent): Draft {
  const event = Object.values<unknown>(
    ical.sync.parseICS(`BEGIN:VCALENDAR\r\n${text}\r\nEND:VCALENDAR\r\n`),
  ).find(isEvent);
  const lines = text.replace(/\r?\n[ \t]/g, "");
  const name = plainText(event?.summary);
  if (event === undefined || name === undefined) throw new UnusableRecord("SUMMARY is missing");
  if (/^(RRULE|RDATE)[;:]/im.test(lines))
    throw new UnusableRecord("it repeats (RRULE): list each occurrence as an event of its own");

  const start = momentIn(lines, "DTSTART", event.start?.tz);
  if (start === undefined) throw new UnusableRecord("DTSTART is missing");
  const end = momentIn(lines, "DTEND", event.end?.tz);
  const id = /^UID[^:\n]*:(.+)$/im.exec(lines)?.[1]?.trim();
  const occurrence = /^RECURRENCE-ID[^:\n]*:(.+)$/im.exec(lines)?.[1]?.trim();
  const topic = event.categories?.[0];
  const place = plainText(event.location);
  return {
    source: "icalendar",
    name,
    start: start.when,
    ...present({
      id: id === undefined || occurrence === undefined ? id : `${id} ${occurrence}`,
      end: end === undefined ? undefined : lastDay(end.when, start.when),
      durationMinutes: end === undefined ? durationOf(event, lines) : undefined,
      status: event.status === "CANCELLED" ? "cancelled" : undefined,
      topic: topic === undefined ? undefined : tidyText(topic),
      url: typeof event.url === "string" && /^https?:/.test(event.url) ? event.url : undefined,
      timeZone: start.zone ?? ("date" in start.when ? zone : undefined),
      feedTimeZone: zone,
    }),
    ...(place === undefined ? {} : placeIn(place)),
  };
}

/** A VEVENT of a feed, in which required properties can be missing. */
type FoundEvent = { [Field in keyof VEvent]?: VEvent[Field] | undefined };

function isEvent(component: unknown): component is FoundEvent {
  return (
    typeof component === "object" &&
    component !== null &&
    (component as { type?: unknown }).type === "VEVENT"
  );
}

/** Reads a property of node-ical: a text, or a text with parameters. */
function plainText(value: unknown): string | undefined {
  const text =
    typeof value === "object" && value !== null ? (value as { val?: unknown }).val : value;
  return typeof text === "string" && tidyText(text) !== "" ? tidyText(text) : undefined;
}

/**
 * `resolved`: IANA name that node-ical found for another system's zone ("W. Europe Standard
 * Time").
 */
function momentIn(
  lines: string,
  property: string,
  resolved?: string,
): { when: When; zone?: string } | undefined {
  const found = new RegExp(`^${property}((?:;[^:\\n]*)?):(.*)$`, "im").exec(lines);
  if (found === null) return undefined;
  const [, parameters = "", text = ""] = found;
  const parts = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?$/i.exec(text.trim());
  const [, year, month, day, hour, minute, , utc] = parts ?? [];
  const date = [year, month, day].join("-");
  const dayMs = Date.parse(`${date}T${hour ?? "00"}:${minute ?? "00"}:00Z`);
  if (parts === null || Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(date))
    throw new UnusableRecord(`${property} is not a date`);
  if (hour === undefined || minute === undefined) return { when: { date } };
  if (utc !== undefined) return { when: { instantMs: dayMs } };
  const when = { date, time: `${hour}:${minute}` };
  const name = /;TZID="?([^";:]+)"?/i.exec(parameters)?.[1];
  if (name === undefined) return { when };
  // Some calendars put a path before the name ("/citadel.org/20210210_1/Europe/Berlin").
  const zone =
    zoneNamed(name) ??
    zoneNamed(/[A-Za-z_]+\/[A-Za-z_+-]+$/.exec(name)?.[0] ?? "?") ??
    zoneNamed(resolved ?? "?");
  if (zone === undefined) throw new UnusableRecord(`time zone "${name.slice(0, 40)}" is not known`);
  return { when, zone };
}

/** Converts the DTEND of an all-day event, which is the day after its last day. */
function lastDay(end: When, start: When): When {
  if (!("date" in end) || end.time !== undefined || !("date" in start) || end.date <= start.date)
    return end;
  return {
    date: new Date(Date.parse(`${end.date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10),
  };
}

/** node-ical adds DURATION to the start. The difference is right in any zone. */
function durationOf({ start, end }: FoundEvent, lines: string): number | undefined {
  if (!/^DURATION[;:]/im.test(lines) || start === undefined || end === undefined) return undefined;
  return Math.round((end.getTime() - start.getTime()) / 60_000);
}
