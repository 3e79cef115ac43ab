import { Temporal } from "temporal-polyfill";
import {
  type Draft,
  isObject,
  numberOf,
  present,
  type Raw,
  requiredName,
  textOf,
  UnusableRecord,
  urlOf,
  whenOf,
} from "./draft-event.ts";
import type { EventStatus } from "../../domain/event-record.ts";
import { placeIn } from "./place-text.ts";

/** Event types of the catalog by schema.org type. Other subtypes lose their "Event". */
const TYPES: Readonly<Record<string, string>> = {
  MusicEvent: "concert",
  TheaterEvent: "theatre",
  SportsEvent: "sport",
  ComedyEvent: "comedy",
  EducationEvent: "education",
  BusinessEvent: "conference",
  ExhibitionEvent: "exhibition",
  ScreeningEvent: "film",
};

/** All others are scheduled: EventScheduled, EventRescheduled, EventMovedOnline. */
const STATUSES: Readonly<Record<string, EventStatus>> = {
  EventCancelled: "cancelled",
  EventPostponed: "postponed",
};

/** Reads a schema.org Event in JSON-LD. Throws UnusableRecord for other types. */
export function readSchemaOrg(raw: Raw): Draft {
  const kind = listOf(raw["@type"])
    .map(lastWord)
    .find((word) => /(Event|Festival|Hackathon)$/.test(word));
  if (kind === undefined)
    throw new UnusableRecord(
      `@type ${listOf(raw["@type"]).map(lastWord).join(", ") || "is missing"}: not an Event`,
    );
  const fields = plain(raw);
  const name = requiredName(fields);
  const start = textOf(fields, "startDate");
  if (start === undefined) throw new UnusableRecord("startDate is missing");
  const draft: Draft = { source: "schema.org", name, start: whenOf(start, "startDate") };
  const end = textOf(fields, "endDate");
  if (end !== undefined) draft.end = whenOf(end, "endDate");
  const url = urlOf(fields);
  return {
    ...draft,
    ...present({
      id: idOf(fields),
      status: listOf(raw.eventStatus).map((word) => STATUSES[lastWord(word)])[0],
      type:
        TYPES[kind] ?? (kind === "Event" ? undefined : kind.replace(/Event$/, "").toLowerCase()),
      url: url?.startsWith("http") === true ? url : undefined,
      durationMinutes: end === undefined ? minutesOf(textOf(fields, "duration")) : undefined,
      capacity:
        numberOf(fields, "maximumAttendeeCapacity") ??
        numberOf(fields, "maximumPhysicalAttendeeCapacity"),
    }),
    ...(isOnline(raw) ? {} : placeOf(raw.location)),
  };
}

/** Unwraps plain values from {"@value"} and lists. The first one counts. */
function plain(raw: Raw): Raw {
  return Object.fromEntries(
    Object.entries(raw).map(([field, value]) => {
      const [first = value] = listOf(value);
      return [field, isObject(first) && "@value" in first ? first["@value"] : first];
    }),
  );
}

function idOf(fields: Raw): string | undefined {
  const { identifier } = fields;
  return (
    textOf(fields, "@id") ??
    (isObject(identifier) ? textOf(identifier, "value") : textOf(fields, "identifier"))
  );
}

function isOnline(raw: Raw): boolean {
  return (
    lastWord(raw.eventAttendanceMode) === "OnlineEventAttendanceMode" ||
    lastWord(raw.eventStatus) === "EventMovedOnline"
  );
}

/** Returns the first physical place, or nothing if all are virtual. */
function placeOf(location: unknown): { location?: string; country?: string } {
  for (const place of listOf(location)) {
    if (typeof place === "string" && !/^https?:/.test(place)) return placeIn(place);
    if (!isObject(place) || listOf(place["@type"]).map(lastWord).includes("VirtualLocation"))
      continue;
    const [address] = listOf(place.address ?? place);
    if (isObject(address)) {
      const city = textOf(plain(address), "addressLocality");
      const country = isObject(address.addressCountry)
        ? textOf(plain(address.addressCountry), "name")
        : textOf(plain(address), "addressCountry");
      if (city !== undefined) return present({ location: city, country });
    }
    const text = typeof address === "string" ? address : textOf(plain(place), "name");
    if (text !== undefined) return placeIn(text);
  }
  return {};
}

function minutesOf(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  try {
    return Math.round(
      Temporal.Duration.from(duration).total({ unit: "minutes", relativeTo: "2000-01-01" }),
    );
  } catch {
    throw new UnusableRecord("duration is not an ISO 8601 duration");
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** "https://schema.org/MusicEvent" and "schema:MusicEvent" both give MusicEvent. */
function lastWord(value: unknown): string {
  return typeof value === "string" ? (value.split(/[/#:]/).at(-1) ?? "") : "";
}
