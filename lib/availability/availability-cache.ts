import { type RedisClient, runScript } from "../redis/client.ts";

/** Version of a copy: the worker's epoch and batch (an import has batch 0). Newer versions win. */
export type Version = { epoch: number; batch: number };

/**
 * Writes copies unless a newer one of the same run exists. KEYS: copies. ARGV: run_id, then epoch,
 * batch, expiry (ms since 1970) and text per copy. Returns the number of copies written.
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

/** Expiry of an event's copies (ms since 1970): a day after its end, or after now if it is over. */
export function expiryOf(endsAtMs: number, nowMs: number): number {
  return Math.round(Math.max(endsAtMs, nowMs) + DAY_MS);
}

/** Availability of an event at a version. `endsAtMs` is the event's end. */
export type Availability = Version & { eventId: string; available: number; endsAtMs: number };

/** Key of the cache generation: pages and events of an older generation are stale. */
export const GENERATION_KEY = "catalog:generation";

export function availableKey(eventId: string): string {
  return `event:{${eventId}}:available`;
}

/** Reads the availability, never below 0; undefined for an untrusted copy. */
export function readAvailable(text: string | null | undefined, run: string): number | undefined {
  const copy = readAvailability(text, run);
  return copy && Math.max(0, copy.available);
}

/** Reads a copy with its version. Undefined if it is unreadable or of another run of Redis. */
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
 * Writes copies of several events in one command; newer copies stay. Rejects if Redis does not
 * answer. Writes nothing while its run is unknown.
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
