import { isDay } from "../../../domain/event-record.ts";
import { fold } from "../../../domain/text-folding.ts";
import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import { UUID } from "../../../domain/uuid.ts";
import { type QueryWord, queryWords } from "./query-words.ts";

/** Parameters of GET /api/events. */
export type SearchParams = {
  q?: string;
  location?: string;
  name?: string;
  type?: string;
  date?: string;
  from?: string;
  to?: string;
  limit?: number;
  cursor?: string;
};

/** Sort key of a page's last event (keyset pagination). `startsAt` is RFC 3339. */
export type Position = { date: string; startsAt: string; id: string };

/** A search with folded texts and computed dates. */
export type SearchFilters = {
  query?: QueryWord[];
  locationKey?: string;
  nameKey?: string;
  typeKey?: string;
  firstDate: string;
  lastDate?: string;
  /** RFC 3339. Absent if past events are listed too. */
  endsAfter?: string;
  limit: number;
  after?: Position;
};

/**
 * Returns the cache key of a search. Equal for spellings and moments that find the same page.
 * The default first day changes every day, so a first day counts only if the caller gave one.
 */
export function searchKey(params: SearchParams, filters: SearchFilters): string {
  const { query, locationKey, nameKey, typeKey, lastDate, endsAfter, limit, after } = filters;
  const first = latest(params.date, params.from) === undefined ? undefined : filters.firstDate;
  return JSON.stringify([
    query?.map(({ texts }) => texts[0]),
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
/** Events last a year at most (EVENT_LIMITS); time zones add less than a day. */
const LONGEST_EVENT_DAYS = 368;

/**
 * Computes the filters of a search at `nowMs`. Lists past events only if `date` or `from` is a past
 * day. `from` today also lists what began before and goes on, as a search without days does. Can
 * refuse with: VALIDATION_ERROR (invalid date or cursor).
 */
export function searchFilters(params: SearchParams, nowMs: number): Answer<SearchFilters> {
  const { date, from, to, cursor } = params;
  const wrong = [];
  for (const [field, day] of Object.entries({ date, from, to }))
    if (day !== undefined && !isCalendarDay(day)) wrong.push({ field, rule: "date" });
  const after = cursor === undefined ? undefined : readCursor(cursor);
  if (cursor !== undefined && after === undefined) wrong.push({ field: "cursor", rule: "cursor" });
  if (wrong.length > 0) return refused("VALIDATION_ERROR", { errors: wrong });

  const today = new Date(nowMs).toISOString().slice(0, 10);
  const first = latest(date, from === today ? undefined : from);
  const last = earliest(date, to);
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
  const query = queryWords(fold(params.q ?? ""));
  if (query.length > 0) filters.query = query;
  return accepted(filters);
}

/** Encodes a position as an opaque cursor. */
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
    const valid =
      isDay(date) &&
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(startsAt) &&
      !Number.isNaN(Date.parse(startsAt)) &&
      UUID.test(id);
    // Accept one spelling per position only: the one that writeCursor makes.
    return valid && writeCursor({ date, startsAt, id }) === cursor
      ? { date, startsAt, id }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Accepts any calendar day, also outside of the years that events have. */
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
