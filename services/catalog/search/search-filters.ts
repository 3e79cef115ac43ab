import { isDay } from "../../../domain/event-record.ts";
import { fold } from "../../../domain/text-folding.ts";
import { accepted, type Answer, refused } from "../../../domain/refusal.ts";

/** What a caller asks for; the contract's parameters of GET /api/events. */
export type SearchParams = {
  location?: string;
  name?: string;
  type?: string;
  date?: string;
  from?: string;
  to?: string;
  limit?: number;
  cursor?: string;
};

/** Where a page ended: the sort key of its last event. `startsAt` is RFC 3339. */
export type Position = { date: string; startsAt: string; id: string };

/** A search as the catalogue runs it: texts folded, days and moments decided. */
export type SearchFilters = {
  locationKey?: string;
  nameKey?: string;
  typeKey?: string;
  firstDate: string;
  lastDate?: string;
  /** RFC 3339; absent where past events are listed too. */
  endsAfter?: string;
  limit: number;
  after?: Position;
};

/**
 * What two searches have in common that find the same page for as long as nothing changes: spelling and the moment do not matter. What is searched
 * for by default begins on another day every day, so a first day counts only where it was asked for.
 */
export function searchKey(params: SearchParams, filters: SearchFilters): string {
  const { locationKey, nameKey, typeKey, lastDate, endsAfter, limit, after } = filters;
  const first = latest(params.date, params.from) === undefined ? undefined : filters.firstDate;
  return JSON.stringify([
    locationKey,
    nameKey,
    typeKey,
    first,
    lastDate,
    endsAfter !== undefined,
    limit,
    after,
  ]);
}

const LIMIT_DEFAULT = 20;
const DAY_MS = 86_400_000;
/** No event lasts longer than a year (EVENT_LIMITS), and no city is a day away from UTC. */
const LONGEST_EVENT_DAYS = 368;

/**
 * Decides what to search at `nowMs`. Without a past day in `date` or `from`, only what has not ended is listed.
 * Can refuse with: VALIDATION_ERROR (a day that is none, a cursor that is not ours).
 */
export function searchFilters(params: SearchParams, nowMs: number): Answer<SearchFilters> {
  const { date, from, to, cursor } = params;
  const wrong = [];
  for (const [field, day] of Object.entries({ date, from, to }))
    if (day !== undefined && !isCalendarDay(day)) wrong.push({ field, rule: "date" });
  const after = cursor === undefined ? undefined : readCursor(cursor);
  if (cursor !== undefined && after === undefined) wrong.push({ field: "cursor", rule: "cursor" });
  if (wrong.length > 0) return refused("VALIDATION_ERROR", { errors: wrong });

  const first = latest(date, from);
  const last = earliest(date, to);
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const listsPast = first !== undefined && first < today;
  const filters: SearchFilters = {
    firstDate: first ?? new Date(nowMs - LONGEST_EVENT_DAYS * DAY_MS).toISOString().slice(0, 10),
    limit: params.limit ?? LIMIT_DEFAULT,
  };
  if (last !== undefined) filters.lastDate = last;
  if (!listsPast) filters.endsAfter = new Date(nowMs).toISOString();
  if (after !== undefined) filters.after = after;
  const keys = { locationKey: params.location, nameKey: params.name, typeKey: params.type };
  for (const [field, text] of Object.entries(keys) as [keyof typeof keys, string | undefined][]) {
    const key = text === undefined ? undefined : fold(text);
    if (key !== undefined && (key !== "" || field !== "nameKey")) filters[field] = key;
  }
  return accepted(filters);
}

/** The opaque word for "go on after this event". */
export function writeCursor({ date, startsAt, id }: Position): string {
  return Buffer.from(JSON.stringify([date, startsAt, id])).toString("base64url");
}

function readCursor(cursor: string): Position | undefined {
  if (cursor.length > 200 || !/^[\w-]+$/.test(cursor)) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (!Array.isArray(parts) || parts.length !== 3) return undefined;
    const [date, startsAt, id] = parts as unknown[];
    if (typeof date !== "string" || typeof startsAt !== "string" || typeof id !== "string")
      return undefined;
    const ours =
      isDay(date) &&
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(startsAt) &&
      !Number.isNaN(Date.parse(startsAt)) &&
      UUID.test(id);
    // One spelling per position: whatever decodes to the same but is written otherwise was not made here.
    return ours && writeCursor({ date, startsAt, id }) === cursor
      ? { date, startsAt, id }
      : undefined;
  } catch {
    return undefined;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Any day a person may ask for, also far outside of the years that events have. */
function isCalendarDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text.startsWith("0000")) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function latest(one?: string, other?: string): string | undefined {
  return one !== undefined && other !== undefined ? (one > other ? one : other) : (one ?? other);
}

function earliest(one?: string, other?: string): string | undefined {
  return one !== undefined && other !== undefined ? (one < other ? one : other) : (one ?? other);
}
