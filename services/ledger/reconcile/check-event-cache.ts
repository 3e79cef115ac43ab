import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../../../lib/database/pool.ts";
import { GENERATION_KEY } from "../../../lib/availability/availability-cache.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import type { Discrepancy } from "./discrepancy.ts";

/** Keys in one step through Redis; their texts are in memory together, half a megabyte. */
const PAGE = 1_000;
/** A copy that follows its truth a moment later is not wrong. */
const SETTLE_TIMEOUT_MS = 500;

const KEY = /^event:\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}$/;

/**
 * Deletes a cached event if it is unchanged. KEYS[1]: the copy. ARGV[1]: the text it must still
 * hold. Returns 1 if deleted. A newer value stays.
 */
const DELETE_IF_SAME = `
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call("DEL", KEYS[1])`;

/** What is compared of an event's copy, and of its row, by name. */
const COMPARED = [
  "id",
  "name",
  "location",
  "date",
  "startTime",
  "totalCapacity",
  "status",
] as const;
type Said = Record<(typeof COMPARED)[number], unknown>;

export type CopiesChecked = {
  differences: Discrepancy[];
  more: number;
  compared: boolean;
  /** Where to go on: time was up. */
  next?: string;
};
type Suspect = { key: string; text: string; eventId: string; sentence: string };

/**
 * Scans the cached events in Redis, a thousand keys at a time, and compares each one that readers
 * trust with PostgreSQL, read after it. One that is still wrong a little later is deleted with
 * `mend`, so that readers use PostgreSQL. Missing copies are no discrepancy. Events that PostgreSQL
 * does not have may belong to another engine and are skipped. Begins at `from` and goes on while
 * there is time, for a page at least.
 */
export async function checkEventCopies(
  database: Database,
  redis: RedisClient,
  {
    eventId,
    from = "0",
    mend,
    listedMax,
    hasTime,
  }: {
    eventId: string | undefined;
    from?: string | undefined;
    mend: boolean;
    listedMax: number;
    hasTime: () => boolean;
  },
): Promise<CopiesChecked> {
  const result: CopiesChecked = { differences: [], more: 0, compared: true };
  for (let cursor = from, first = true; first || cursor !== "0"; first = false) {
    if (!first && !hasTime()) return { ...result, next: cursor };
    const page = await orUndefinedIfDown(() =>
      redis.scan(cursor, "MATCH", `event:{${eventId ?? "*"}}`, "COUNT", PAGE),
    );
    const keys = page?.[1].filter((key) => KEY.test(key));
    const suspects = keys && (await suspectsIn(database, redis, keys));
    if (page === undefined || suspects === undefined) return { ...result, compared: false };
    cursor = page[0];
    if (suspects.length === 0) continue;
    await wait(SETTLE_TIMEOUT_MS);
    const suspected = suspects.map(({ key }) => key);
    const again = await suspectsIn(database, redis, suspected);
    const lasting =
      again?.filter(({ key, text }) =>
        suspects.some((suspect) => suspect.key === key && suspect.text === text),
      ) ?? [];
    for (const suspect of lasting) {
      const mended =
        mend &&
        (await orUndefinedIfDown(() =>
          redis.eval(DELETE_IF_SAME, 1, suspect.key, suspect.text),
        )) === 1;
      if (result.differences.length >= listedMax) result.more += 1;
      else result.differences.push(differenceOf(suspect, mended));
    }
  }
  return result;
}

/** Undefined while Redis is down. */
async function suspectsIn(
  database: Database,
  redis: RedisClient,
  keys: readonly string[],
): Promise<Suspect[] | undefined> {
  const run = redis.runId();
  if (run === undefined) return undefined;
  if (keys.length === 0) return [];
  const texts = await orUndefinedIfDown(() => redis.mget(GENERATION_KEY, ...keys));
  if (texts === undefined) return undefined;
  const copies = keys.flatMap((key, index) => {
    const text = texts[index + 1];
    const eventId = KEY.exec(key)?.[1];
    const said = typeof text === "string" ? readEvent(text, run, texts[0] ?? null) : undefined;
    return said === undefined || typeof text !== "string" || eventId === undefined
      ? []
      : [{ key, eventId, text, said }];
  });
  if (copies.length === 0) return [];
  const rows = await database.query<Said & { id: string }>({
    text: `
      SELECT id, name, location, to_char(date, 'YYYY-MM-DD') AS date, to_char(start_time,
        'HH24:MI') AS "startTime", total_capacity AS "totalCapacity", status
      FROM event WHERE id = ANY ($1::uuid[])`,
    values: [copies.map(({ eventId }) => eventId)],
  });
  const truths = new Map(rows.map((row) => [row.id, row]));
  return copies.flatMap(({ said, ...copy }) => {
    const truth = truths.get(copy.eventId);
    const sentence = truth && compare(said, truth);
    return sentence === undefined ? [] : [{ ...copy, sentence }];
  });
}

/**
 * Parses a cached event. Undefined if no reader takes it for fresh: one of an earlier generation is
 * used only while PostgreSQL is down.
 */
function readEvent(text: string, run: string, generation: string | null): Said | undefined {
  try {
    const copy = JSON.parse(text) as { run?: unknown; generation?: unknown; value?: Said } | null;
    return copy?.run === run && copy.generation === generation ? copy.value : undefined;
  } catch {
    return undefined;
  }
}

/** Describes the difference in a sentence. Undefined if there is none. */
function compare(said: Said, truth: Said): string | undefined {
  const wrong = COMPARED.filter((name) => said[name] !== truth[name]);
  if (wrong.length === 0) return undefined;
  const words = wrong.map(
    (name) => `${name} ${JSON.stringify(said[name])}, PostgreSQL ${JSON.stringify(truth[name])}`,
  );
  return `Redis says of the event: ${words.join("; ")}.`;
}

function differenceOf({ eventId, sentence }: Suspect, mended: boolean): Discrepancy {
  return {
    kind: "event-copy",
    eventId,
    expected: 0,
    found: 1,
    mended,
    sentence:
      `${sentence} ` +
      (mended ? "The copy was deleted; readers ask PostgreSQL." : "The copy was left."),
  };
}

/** Returns Redis's answer, or undefined while Redis is down. */
async function orUndefinedIfDown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}
