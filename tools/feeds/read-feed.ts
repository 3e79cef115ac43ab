import type { EventRecord } from "../../domain/event-record.ts";
import { completeEvent, type FeedOptions } from "./complete-event.ts";
import { readConference } from "./conference.ts";
import { type Draft, type Format, isObject, type Raw, UnusableRecord } from "./draft-event.ts";
import { FeedError } from "./feed-error.ts";
import { type CalendarEvent, calendarEvents, readCalendarEvent } from "./icalendar.ts";
import { jsonValues } from "./json-values.ts";
import { readListing } from "./listing.ts";
import { readSchemaOrg } from "./schema-org.ts";

/** One record of a feed, counted from 1: an event, or the reason why it cannot be one. */
export type FeedRecord = { number: number; name: string } & (
  { event: EventRecord } | { reason: string }
);

/**
 * Reads a feed and holds one record at a time. Without `format` the content decides: a calendar
 * by its first line, JSON by its first character, each JSON record by its fields. Throws
 * FeedError if the feed cannot be read.
 */
export async function* readFeed(
  chunks: AsyncIterable<string>,
  options: FeedOptions & { format?: Format },
): AsyncGenerator<FeedRecord> {
  const { opening, all } = await peek(chunks);
  let number = 0;
  const format = options.format ?? formatOf(opening);
  const records = format === "icalendar" ? calendarEvents(all) : flattened(jsonValues(all));
  for await (const raw of records) {
    number += 1;
    const name = nameOf(raw);
    try {
      yield { number, name, event: completeEvent(draftOf(raw, format), options) };
    } catch (error) {
      if (!(error instanceof UnusableRecord)) throw error;
      yield { number, name, reason: error.message };
    }
  }
}

async function peek(
  chunks: AsyncIterable<string>,
): Promise<{ opening: string; all: AsyncIterable<string> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let opening = "";
  while (opening.trim().length < 20) {
    const next = await iterator.next();
    if (next.done === true) break;
    opening += next.value;
  }
  opening = opening.replace(/^\uFEFF/, "");
  const all = async function* (): AsyncGenerator<string> {
    yield opening;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
      yield next.value;
  };
  return { opening, all: all() };
}

/** Detects iCalendar. Returns undefined for JSON, whose kind is decided per record. */
function formatOf(opening: string): "icalendar" | undefined {
  const start = opening.trimStart();
  if (/^BEGIN:VCALENDAR/i.test(start)) return "icalendar";
  if (start === "" || /^[[{]/.test(start)) return undefined;
  throw new FeedError(
    "neither JSON nor iCalendar at line 1: it begins with " +
      `"${start.slice(0, 20).replace(/\s+/g, " ")}"`,
  );
}

/** Flattens nested lists and the items of a schema.org ItemList into records. */
async function* flattened(values: AsyncIterable<unknown>): AsyncGenerator {
  for await (const value of values) {
    if (Array.isArray(value)) yield* value as unknown[];
    else if (isObject(value) && value["@type"] === "ListItem" && value.item !== undefined)
      yield value.item;
    else yield value;
  }
}

function draftOf(raw: unknown, format: Format | undefined): Draft {
  if (isCalendarEvent(raw, format)) return readCalendarEvent(raw);
  if (!isObject(raw)) throw new UnusableRecord("it is not an object");
  switch (format ?? kindOf(raw)) {
    case "schema.org":
      return readSchemaOrg(raw);
    case "conferences":
      return readConference(raw);
    default:
      return readListing(raw);
  }
}

function isCalendarEvent(_raw: unknown, format: Format | undefined): _raw is CalendarEvent {
  return format === "icalendar";
}

function kindOf(raw: Raw): Format {
  if ("@type" in raw || "@context" in raw) return "schema.org";
  return "startDate" in raw && !("date" in raw) ? "conferences" : "json";
}

function nameOf(raw: unknown): string {
  if (!isObject(raw)) return "(no name)";
  const name =
    typeof raw.text === "string" && raw.name === undefined
      ? /^SUMMARY[^:\n]*:(.*)$/im.exec(raw.text)?.[1]
      : raw.name;
  return typeof name === "string" && name.trim() !== "" ? name.trim().slice(0, 100) : "(no name)";
}
