import { decodeHTMLStrict } from "entities";
import { completeEvent, type FeedOptions } from "./complete-event.ts";
import { readConference } from "./conference.ts";
import { type Draft, type Format, isObject, type Raw, UnusableRecord } from "./draft-event.ts";
import { FeedError } from "./feed-error.ts";
import type { FeedRecord, ReadRecord } from "./feed-record.ts";
import { plainText } from "./icalendar/content-lines.ts";
import { calendarEvents, propertyIn } from "./icalendar/calendar-events.ts";
import { latestVersions, type VersionedRecord } from "./icalendar/latest-versions.ts";
import { readCalendarEvent, versionOf } from "./icalendar/read-event.ts";
import { jsonValues } from "./json-values.ts";
import { readListing } from "./listing.ts";
import { tidyText } from "./readable-text.ts";
import { readSchemaOrg } from "./schema-org.ts";

/**
 * Reads a feed and holds one record at a time; of calendars more, because a later version of an
 * event can follow. Without `format` the content decides: a calendar by its first line, JSON by its
 * first character, each JSON record by its fields. An error in a record is the refusal of that
 * record. Throws FeedError if the feed itself cannot be read, or has no record.
 */
export async function* readFeed(
  chunks: AsyncIterable<string>,
  options: FeedOptions & { format?: Format },
): AsyncGenerator<FeedRecord> {
  const { opening, all } = await peek(chunks);
  const format = options.format ?? formatOf(opening);
  let read = 0;
  const records =
    format === "icalendar" ? calendarRecords(all, options) : jsonRecords(all, format, options);
  for await (const record of records) {
    read += 1;
    yield record;
  }
  if (read === 0) throw new FeedError("there is no event in it");
}

async function* calendarRecords(
  chunks: AsyncIterable<string>,
  options: FeedOptions,
): AsyncGenerator<FeedRecord> {
  const records = async function* (): AsyncGenerator<VersionedRecord> {
    for await (const event of calendarEvents(chunks)) {
      const { number, lines } = event;
      const name = shownName(attempt(() => propertyIn(lines, "SUMMARY")?.value));
      const version = attempt(() => versionOf(lines));
      const record = recordOf(number, name, options, () => readCalendarEvent(event));
      const known = { source: options.source ?? "icalendar", id: version?.uid ?? "" };
      if (!("reason" in record) || version === undefined)
        yield { record, ...(version === undefined ? {} : { version }) };
      // A cancellation needs no more than the UID (RFC 5546, 3.2.5).
      else if (event.calendar.method === "CANCEL" && event.fault === undefined) {
        const cancels = { ...known, sequence: version.sequence };
        yield { record: { number, name, cancels }, version };
      } else yield { record: { ...record, ...known }, version };
    }
  };
  yield* latestVersions(records());
}

async function* jsonRecords(
  chunks: AsyncIterable<string>,
  format: Exclude<Format, "icalendar"> | undefined,
  options: FeedOptions,
): AsyncGenerator<FeedRecord> {
  let number = 0;
  for await (const raw of flattened(jsonValues(chunks))) {
    number += 1;
    const name = shownName(isObject(raw) ? raw.name : undefined);
    yield recordOf(number, name, options, () => draftOf(raw, format));
  }
}

/** Any error of a reader is the refusal of this record. */
function recordOf(
  number: number,
  name: string,
  options: FeedOptions,
  read: () => Draft,
): ReadRecord {
  let known: { source?: string; id?: string } = {};
  try {
    const draft = read();
    const { id } = draft;
    if (id !== undefined) known = { id, source: options.source ?? draft.source };
    const event = completeEvent(draft, options);
    const { onSaleAt, image } = draft;
    const note = "offers.validFrom is not kept: it is on sale at once";
    return {
      number,
      name,
      event,
      ...(onSaleAt !== undefined && { note }),
      ...(image !== undefined && { image }),
    };
  } catch (error) {
    const reason =
      error instanceof UnusableRecord
        ? error.message
        : `it cannot be read (${tidyText(String(error)).slice(0, 200)})`;
    return { number, name, reason, ...known };
  }
}

/** A name for the report: one line, without what could move the cursor of a terminal. */
function shownName(name: unknown): string {
  const text = typeof name === "string" ? tidyText(plainText(decodeHTMLStrict(name))) : "";
  return text === "" ? "(no name)" : text.slice(0, 100);
}

function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
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
    "neither JSON nor iCalendar at line 1: it begins with " + `"${tidyText(start.slice(0, 20))}"`,
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

function draftOf(raw: unknown, format: Exclude<Format, "icalendar"> | undefined): Draft {
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

function kindOf(raw: Raw): Exclude<Format, "icalendar"> {
  if ("@type" in raw || "@context" in raw) return "schema.org";
  return "startDate" in raw && !("date" in raw) ? "conferences" : "json";
}
