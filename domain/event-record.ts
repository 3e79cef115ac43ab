import { fold, identityKey } from "./text-folding.ts";

/** `postponed` and `cancelled`: nothing is sold, tickets stay and show it. */
export const EVENT_STATUSES = ["scheduled", "postponed", "cancelled"] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

/**
 * One event of a feed, complete, as the import writes it. `source` and `sourceId` identify the
 * record, so that a later import finds it again. `date` (YYYY-MM-DD), `startTime` and `endTime`
 * (HH:MM) are local to the city. `startsAt` and `endsAt` are the same moments in UTC (RFC 3339).
 * `duration` is the minutes between them.
 */
export type EventRecord = {
  source: string;
  sourceId: string;
  /** Id under which an earlier import may have stored the event, if the start is the same. */
  otherId?: string;
  name: string;
  type: string;
  location: string;
  country: string | null;
  url: string | null;
  date: string;
  startTime: string;
  endTime: string;
  duration: number;
  timeZone: string;
  startsAt: string;
  endsAt: string;
  totalCapacity: number;
  status: EventStatus;
  /** Version of the record in its feed (SEQUENCE), absent if the feed has none. */
  sequence?: number;
};

/** Length limits in UTF-16 units. Keys are indexed, and an index entry holds 2,700 bytes. */
export const EVENT_LIMITS = {
  source: 50,
  sourceId: 500,
  name: 200,
  nameKeyBytes: 1_000,
  type: 50,
  location: 100,
  country: 100,
  url: 2_000,
  yearMin: 1970,
  yearMax: 2100,
  durationMinutesMax: 366 * 24 * 60,
  capacityMax: 1_000_000,
  sequenceMax: 2_147_483_647,
} as const;

/** Makes the key of a record without an id of its own. */
export function ownKey(record: { name: string; date: string; location: string }): string {
  return [identityKey(record.name), record.date, identityKey(record.location)].join("|");
}

/**
 * Describes in one phrase why this record cannot be an event, or undefined. Assumes correct types.
 */
export function recordProblem(record: EventRecord): string | undefined {
  return (
    textProblem(record) ??
    timeProblem(record) ??
    capacityProblem(record.totalCapacity) ??
    statusProblem(record.status)
  );
}

const utf8 = new TextEncoder();

function textProblem(record: EventRecord): string | undefined {
  for (const field of [
    "source",
    "sourceId",
    "name",
    "type",
    "location",
    "country",
    "url",
  ] as const) {
    const text = record[field];
    if (text === null) continue;
    if (text.trim() === "") return `${field} is empty`;
    if (text.length > EVENT_LIMITS[field])
      return `${field} is longer than ${EVENT_LIMITS[field]} characters`;
    if (/[\p{Cc}\p{Bidi_Control}]/u.test(text)) return `${field} has control characters in it`;
  }
  for (const field of ["name", "type", "location"] as const) {
    const key = fold(record[field]);
    if (key === "") return `${field} has no letter or digit`;
    if (utf8.encode(key).length > EVENT_LIMITS.nameKeyBytes)
      return `${field} is too long once it is folded for the search`;
  }
  if (record.url !== null && !isWebAddress(record.url))
    return "url is not a web address (http or https)";
  return undefined;
}

function isWebAddress(url: string): boolean {
  return /^https?:\/\/\S+$/i.test(url);
}

function timeProblem({
  date,
  startTime,
  endTime,
  duration,
  startsAt,
  endsAt,
}: EventRecord): string | undefined {
  if (!isDay(date))
    return (
      "date is not a day of the calendar " +
      `(YYYY-MM-DD, ${EVENT_LIMITS.yearMin} to ${EVENT_LIMITS.yearMax})`
    );
  if (!isTime(startTime) || !isTime(endTime)) return "a time is not HH:MM";
  const startsMs = Date.parse(startsAt);
  const endsMs = Date.parse(endsAt);
  if (Number.isNaN(startsMs) || Number.isNaN(endsMs)) return "a moment is not RFC 3339";
  // No time zone is further from UTC.
  if (Math.abs(startsMs - Date.parse(`${date}T${startTime}:00Z`)) > 15 * 3_600_000)
    return "startsAt is not the moment of date and startTime";
  if (endsMs <= startsMs) return "it ends before it starts";
  if (duration > EVENT_LIMITS.durationMinutesMax) return "it lasts longer than a year";
  if (!Number.isInteger(duration) || duration * 60_000 !== endsMs - startsMs)
    return "duration is not the minutes from start to end";
  return undefined;
}

/** Tells whether a text is a real day, YYYY-MM-DD, in a year that events may have. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const year = Number(text.slice(0, 4));
  if (year < EVENT_LIMITS.yearMin || year > EVENT_LIMITS.yearMax) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

export function isTime(text: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
}

function capacityProblem(capacity: number): string | undefined {
  if (Number.isInteger(capacity) && capacity >= 0 && capacity <= EVENT_LIMITS.capacityMax)
    return undefined;
  return `capacity is not a whole number from 0 to ${EVENT_LIMITS.capacityMax}`;
}

export function isEventStatus(text: string): text is EventStatus {
  return (EVENT_STATUSES as readonly string[]).includes(text);
}

function statusProblem(status: string): string | undefined {
  return isEventStatus(status) ? undefined : `status is not one of ${EVENT_STATUSES.join(", ")}`;
}
