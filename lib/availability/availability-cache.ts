import { type RedisClient, runScript } from "../redis/client.ts";

/**
 * The epoch and batch under which a cached value was written (an import writes batch 0). Copies
 * overwrite each other in this order.
 */
export type Version = { epoch: number; batch: number };

/**
 * Writes copies unless a newer one is stored. KEYS: the copies. ARGV: run_id, then epoch, batch,
 * expiry (ms since 1970) and text of each. A stored copy of the same run with a larger (epoch,
 * batch) stays. Returns the number of copies written.
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

/**
 * Returns when the cached values of an event expire, in ms since 1970: a day after its end, or a
 * day from now if it is over.
 */
export function expiryOf(endsAtMs: number, nowMs: number): number {
  return Math.round(Math.max(endsAtMs, nowMs) + DAY_MS);
}

/**
 * The availability of an event at a version. `endsAtMs` is the event's end. The cached value lives
 * a day longer.
 */
export type Availability = Version & { eventId: string; available: number; endsAtMs: number };

/**
 * Key of the cache generation. Pages and events that were cached under another generation are
 * stale.
 */
export const GENERATION_KEY = "catalog:generation";

export function availableKey(eventId: string): string {
  return `event:{${eventId}}:available`;
}

/**
 * Reads the availability from a cached value, never below 0. Undefined if the value is not trusted
 * (see `readAvailability`).
 */
export function readAvailable(text: string | null | undefined, run: string): number | undefined {
  const copy = readAvailability(text, run);
  return copy && Math.max(0, copy.available);
}

/**
 * Reads a cached value with its version. Undefined if it is unreadable or was written under another
 * run of Redis.
 */
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

/** Encodes a copy of the availability for this run of Redis. */
export function encodeAvailability(
  { epoch, batch, available }: Omit<Availability, "eventId" | "endsAtMs">,
  run: string,
): string {
  return JSON.stringify({ epoch, batch, run, available: Math.max(0, available) });
}

/**
 * Writes the availability of different events in one script call. A late writer overwrites nothing
 * newer. Rejects if Redis does not answer. Writes nothing while the run_id is unknown.
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
