import { UnusableRecord } from "../draft-event.ts";
import { FeedError } from "../feed-error.ts";
import {
  EVENT_LENGTH_MAX,
  nameOfLine,
  plainText,
  type Property,
  propertyOf,
  unfoldedLines,
} from "./content-lines.ts";
import { type FileZone, readFileZone } from "./file-zone.ts";

const ZONES_MAX = 1_000;
/** Properties that decide when an event is, and which. */
const ONCE = new Set(["DTSTART", "DTEND", "DURATION", "UID", "RECURRENCE-ID", "SEQUENCE"]);
/** Limits of the events that wait for a VTIMEZONE behind them. */
const WAITING_MAX = 10_000;
const WAITING_LENGTH_MAX = 16 * 1024 * 1024;

/** What a calendar says about all its events. */
export type Calendar = {
  /** X-WR-TIMEZONE: the zone of times that name none. */
  zone?: string;
  method?: string;
  /** The VTIMEZONEs, by TZID. */
  zones: Map<string, FileZone>;
};

/**
 * One VEVENT: its own unfolded lines, without those of its alarms. `number` counts the events of
 * the feed from 1. `fault`: why it cannot be read.
 */
export type CalendarEvent = {
  number: number;
  lines: readonly string[];
  calendar: Calendar;
  fault?: string;
};

type Open = { lines: string[]; length: number; fault?: string };

/**
 * Reads the VEVENTs of one or several calendars and skips other components. An event whose zone is
 * defined behind it waits for the end of the calendar. Throws FeedError if the file is cut off.
 */
export async function* calendarEvents(
  chunks: AsyncIterable<string>,
): AsyncGenerator<CalendarEvent> {
  let calendar: Calendar = { zones: new Map() };
  let event: Open | undefined;
  let zoneLines: string[] | undefined;
  /** Components inside of the event that is open. */
  const inside: string[] = [];
  let waiting: CalendarEvent[] = [];
  let waitingLength = 0;
  let number = 0;
  let last = 0;

  const close = function* ({ lines, length, fault }: Open): Generator<CalendarEvent> {
    number += 1;
    const closed = { number, lines, calendar, ...(fault === undefined ? {} : { fault }) };
    if (!lines.some((line) => namesUnknownZone(line, calendar))) {
      yield closed;
      return;
    }
    waiting.push(closed);
    waitingLength += length;
    if (waiting.length >= WAITING_MAX || waitingLength >= WAITING_LENGTH_MAX) yield* release();
  };
  const release = function* (): Generator<CalendarEvent> {
    yield* waiting;
    [waiting, waitingLength] = [[], 0];
  };

  for await (const { text, number: lineNumber, cut } of unfoldedLines(chunks)) {
    last = lineNumber;
    const [, step, component = ""] =
      /^\s*(BEGIN|END)\s*:\s*([\w-]+)\s*$/.exec(text.slice(0, 100).toUpperCase()) ?? [];
    if (event !== undefined) {
      if (step === "BEGIN" && component !== "VEVENT") inside.push(component);
      else if (step === "END" && component !== "VEVENT" && component !== "VCALENDAR") inside.pop();
      else if (step === undefined) {
        if (inside.length > 0) continue;
        event.length += text.length;
        if (cut || event.length > EVENT_LENGTH_MAX) event.fault = "it is longer than 1 MiB";
        else event.lines.push(text);
      } else {
        if (component !== "VEVENT" || step === "BEGIN") event.fault ??= "it has no end";
        else if (inside.length > 0) event.fault ??= "an alarm in it has no end";
        yield* close(event);
        event = undefined;
        inside.length = 0;
      }
    } else if (zoneLines !== undefined && step !== undefined && component === "VTIMEZONE") {
      if (calendar.zones.size < ZONES_MAX) addZone(calendar, zoneLines);
      zoneLines = undefined;
    } else if (zoneLines !== undefined) {
      if (zoneLines.length < 10_000 && !cut) zoneLines.push(text);
    } else if (step === "BEGIN" && component === "VTIMEZONE") zoneLines = [];
    else if (step === undefined) describe(calendar, text);
    if (step === "BEGIN" && component === "VEVENT") event = { lines: [], length: 0 };
    if (component !== "VCALENDAR") continue;
    zoneLines = undefined;
    yield* release();
    calendar = { zones: new Map() };
  }
  yield* release();
  if (event !== undefined)
    throw new FeedError(`the calendar breaks off in an event, at line ${last}`);
}

/** Returns a property of an event. Throws UnusableRecord if it is twice, or cannot be read. */
export function propertyIn(lines: readonly string[], name: string): Property | undefined {
  const [line, other] = lines.filter((one) => nameOfLine(one) === name);
  if (line === undefined) return undefined;
  if (other !== undefined && other !== line && ONCE.has(name))
    throw new UnusableRecord(`${name} is there twice`);
  return propertyOf(line);
}

function describe(calendar: Calendar, line: string): void {
  const name = nameOfLine(line);
  // Half of a zone stands outside of it, so the other half would give wrong moments.
  if (name === "TZOFFSETFROM" || name === "TZOFFSETTO") calendar.zones.clear();
  if (name === "METHOD")
    calendar.method = line
      .slice(line.indexOf(":") + 1)
      .trim()
      .toUpperCase();
  if (name === "X-WR-TIMEZONE") {
    const zone = plainText(line.slice(line.indexOf(":") + 1)).trim();
    if (zone !== "") calendar.zone = zone;
  }
}

function addZone(calendar: Calendar, lines: readonly string[]): void {
  const zone = readFileZone(lines);
  if (zone !== undefined && !calendar.zones.has(zone.id)) calendar.zones.set(zone.id, zone);
}

/** Whether a line names a zone that the calendar has not defined so far. */
function namesUnknownZone(line: string, { zones }: Calendar): boolean {
  if (!/^\s*DT(START|END);/i.test(line)) return false;
  const id = /;TZID=("[^"]*"|[^;:]*)/i.exec(line)?.[1]?.replaceAll('"', "");
  return id !== undefined && !zones.has(id);
}
