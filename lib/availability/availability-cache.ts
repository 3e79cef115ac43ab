import { type RedisClient, runScript } from "../redis/client.ts";

/** When the event's worker (or an import, batch 0) wrote what is copied: the order in which copies overwrite each other. */
export type Version = { epoch: number; batch: number };

/**
 * KEYS: copies. ARGV: run_id, then epoch, batch, expiry (ms since 1970) and text of each copy.
 * Writes each, except where one of the same run with a larger (epoch, batch) stands. Answers how many were written.
 */
const SET_IF_NEWER = `
  local written = 0
  for index, key in ipairs(KEYS) do
    local first = 4 * index - 2
    local epoch, batch = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
    local old = redis.pcall("GET", key)
    local keep = false
    if type(old) == "string" then
      local readable, copy = pcall(cjson.decode, old)
      keep = readable and type(copy) == "table" and copy.run == ARGV[1]
        and (copy.epoch > epoch or (copy.epoch == epoch and copy.batch > batch))
    end
    if not keep then
      redis.call("SET", key, ARGV[first + 3], "PXAT", ARGV[first + 2])
      written = written + 1
    end
  end
  return written`;

const DAY_MS = 86_400_000;

/** Until when copies of an event live, in milliseconds since 1970: a day longer than the event, or than today where it is over. */
export function expiryOf(endsAtMs: number, nowMs: number): number {
  return Math.round(Math.max(endsAtMs, nowMs) + DAY_MS);
}

/** What an event has left to sell as of the stamp. `endsAtMs`: the event's end; its copy lives a day longer. */
export type Availability = Version & { eventId: string; available: number; endsAtMs: number };

/** Which pages and events are as the catalogue is now: those kept under this word. */
export const GENERATION_KEY = "catalog:generation";

export function availableKey(eventId: string): string {
  return `event:{${eventId}}:available`;
}

/** What is left of an event as a copy says it, never below 0; undefined for a copy that is not trusted (see `readLeft`). */
export function readAvailable(text: string | null | undefined, run: string): number | undefined {
  const copy = readAvailability(text, run);
  return copy && Math.max(0, copy.available);
}

/** A copy with its stamp; undefined where it is not trusted: unreadable, or written under another run of Redis. */
export function readAvailability(
  text: string | null | undefined,
  run: string,
): Omit<Availability, "eventId" | "endsAtMs"> | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const {
      epoch,
      batch,
      available,
      run: written,
    } = JSON.parse(text) as Partial<Availability> & { run?: string };
    const whole =
      typeof epoch === "number" && typeof batch === "number" && typeof available === "number";
    return whole && written === run ? { epoch, batch, available } : undefined;
  } catch {
    return undefined;
  }
}

/** The text of the copy of what is left, written under this run of Redis. */
export function encodeAvailability(
  { epoch, batch, available }: Omit<Availability, "eventId" | "endsAtMs">,
  run: string,
): string {
  return JSON.stringify({ epoch, batch, run, available: Math.max(0, available) });
}

/**
 * Writes copies of different events in one go, so that a late writer overwrites nothing newer. Rejects when Redis does not answer; writes nothing while its
 * run is not known.
 */
export async function writeAvailability(
  redis: RedisClient,
  many: readonly Availability[],
): Promise<void> {
  const run = redis.runId();
  if (run === undefined) throw new Error("Redis is away");
  const nowMs = Date.now();
  const facts = many.flatMap((left) => {
    return [left.epoch, left.batch, expiryOf(left.endsAtMs, nowMs), encodeAvailability(left, run)];
  });
  const keys = many.map(({ eventId }) => availableKey(eventId));
  await runScript(redis, "setIfNewer", SET_IF_NEWER, keys, [run, ...facts]);
}
