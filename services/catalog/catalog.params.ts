import { EVENT_LIMITS, EVENT_STATUSES, type EventRecord } from "../../domain/event-record.ts";

const RECORDS_MAX = 1_000;
const IDS_MAX = 500;

const text = (max: number) => ({ type: "string", min: 1, max });
const optionalText = (max: number) => ({ ...text(max), optional: true });
const day = { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}$", optional: true };
const whole = { type: "number", integer: true };
const uuid = { type: "uuid" } as const;

/** `last`: the feed has ended, so the table is vacuumed for searches. */
export type ImportParams = { records: EventRecord[]; last?: boolean };

export const SEARCH_PARAMS = {
  $$strict: true,
  q: { ...optionalText(100), pattern: "\\S" },
  location: optionalText(100),
  name: optionalText(100),
  type: optionalText(50),
  date: day,
  from: day,
  to: day,
  limit: { ...whole, min: 1, max: 100, optional: true },
  cursor: { type: "string", max: 1_000, optional: true },
};

export type UpcomingParams = { source: string; after?: string };

export const UPCOMING_PARAMS = {
  $$strict: true,
  source: text(EVENT_LIMITS.source),
  after: { type: "string", max: EVENT_LIMITS.sourceId, optional: true },
};

export const GET_PARAMS = { $$strict: true, eventId: uuid };

export const AVAILABILITY_PARAMS = {
  $$strict: true,
  eventIds: { type: "array", min: 1, max: IDS_MAX, items: uuid },
};

const RECORD_PROPS = {
  source: text(EVENT_LIMITS.source),
  sourceId: text(EVENT_LIMITS.sourceId),
  otherId: optionalText(EVENT_LIMITS.sourceId),
  name: text(EVENT_LIMITS.name),
  type: text(EVENT_LIMITS.type),
  location: text(EVENT_LIMITS.location),
  country: { ...text(EVENT_LIMITS.country), nullable: true },
  url: { ...text(EVENT_LIMITS.url), nullable: true },
  date: text(10),
  startTime: text(5),
  endTime: text(5),
  duration: whole,
  timeZone: text(64),
  startsAt: text(30),
  endsAt: text(30),
  totalCapacity: whole,
  // Tools of the last release do not send it.
  status: { type: "enum", values: [...EVENT_STATUSES], default: "scheduled" },
  sequence: { ...whole, min: 0, max: EVENT_LIMITS.sequenceMax, optional: true },
};

export const IMPORT_PARAMS = {
  $$strict: true,
  records: {
    type: "array",
    max: RECORDS_MAX,
    items: { type: "object", strict: true, props: RECORD_PROPS },
  },
  last: { type: "boolean", optional: true },
};
