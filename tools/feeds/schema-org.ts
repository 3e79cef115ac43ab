import {
  type Draft,
  isObject,
  numberOf,
  present,
  type Raw,
  requiredName,
  idOf,
  statusIn,
  textOf,
  UnusableRecord,
  type When,
} from "./draft-event.ts";
import { placeIn } from "./place-text.ts";
import { webAddress } from "./readable-text.ts";
import { durationOf, whenOf } from "./when.ts";
import { cityInRegion } from "./zones.ts";

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
  const url = webAddress(textOf(fields, "url"), "url");
  return {
    ...draft,
    ...present({
      id: ownId(fields),
      // All others are scheduled: EventScheduled, EventRescheduled, EventMovedOnline.
      status: statusIn(listOf(raw.eventStatus).map(lastWord)),
      type:
        TYPES[kind] ?? (kind === "Event" ? undefined : kind.replace(/Event$/, "").toLowerCase()),
      url,
      duration: durationOf(textOf(fields, "duration"), "duration"),
      image: imageOf(raw),
      onSaleAt: onSaleOf(raw),
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

function ownId(fields: Raw): string | undefined {
  const { identifier } = fields;
  return (
    idOf(fields, "@id") ??
    (isObject(identifier) ? idOf(identifier, "value") : idOf(fields, "identifier"))
  );
}

/** The first picture: an address, or an ImageObject with one. */
export function imageOf(raw: Raw): string | undefined {
  for (const image of listOf(raw.image)) {
    const fields = isObject(image) ? plain(image) : { url: image };
    for (const field of ["url", "contentUrl", "@id"]) {
      const { [field]: address } = fields;
      if (typeof address !== "string") continue;
      const found = webAddress(address, "image");
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The earliest opening time of its offers. */
function onSaleOf(raw: Raw): When | undefined {
  const times = listOf(raw.offers).flatMap((offer) => {
    if (!isObject(offer)) return [];
    const fields = plain(offer);
    const text = textOf(fields, "validFrom") ?? textOf(fields, "availabilityStarts");
    return text === undefined ? [] : [whenOf(text, "offers.validFrom")];
  });
  const key = (when: When): string =>
    "date" in when ? `${when.date}T${when.time ?? ""}` : new Date(when.instantMs).toISOString();
  return times.toSorted((one, other) => (key(one) < key(other) ? -1 : 1))[0];
}

function isOnline(raw: Raw): boolean {
  return [...listOf(raw.eventAttendanceMode), ...listOf(raw.eventStatus)]
    .map(lastWord)
    .some((word) => /^(OnlineEventAttendanceMode|EventMovedOnline)$/i.test(word));
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
      const country = namedText(address.addressCountry, "addressCountry");
      const region = namedText(address.addressRegion, "addressRegion");
      if (city !== undefined)
        return present({ location: cityInRegion(city, region, country), country });
    }
    const text = typeof address === "string" ? address : textOf(plain(place), "name");
    if (text !== undefined) return placeIn(text);
  }
  return {};
}

/** A text, or the name of a Country or State. */
function namedText(value: unknown, field: string): string | undefined {
  const [first] = listOf(value);
  if (!isObject(first)) return textOf({ [field]: first }, field);
  const fields = plain(first);
  return textOf(fields, "name") ?? textOf(fields, "identifier") ?? textOf(fields, "@value");
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** "https://schema.org/MusicEvent" and "schema:MusicEvent" both give MusicEvent. */
function lastWord(value: unknown): string {
  if (isObject(value)) return lastWord(value["@id"] ?? value["@value"] ?? value.name);
  return typeof value === "string"
    ? (value.trim().split(/[/#:]/).filter(Boolean).at(-1) ?? "")
    : "";
}
