import type { EventStatus } from "../../domain/event-record.ts";
import { type RedisClient, runScripts, type ScriptCall } from "../redis/client.ts";

/**
 * The epoch and batch under which a cached value was written (an import writes batch 0). Copies
 * overwrite each other in this order.
 */
export type Version = { epoch: number; batch: number };

/**
 * Writes copies of one event unless a newer one is stored. KEYS: the copies, all of one hash tag.
 * ARGV: run_id, epoch, batch, expiry (ms since 1970), number of leading copies that replace none of
 * the same run, then the text of each. A stored copy of the same run with a larger (epoch, batch)
 * stays. Returns the number of copies written.
 */
const SET_IF_NEWER = `
  local run, epoch, batch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
  local written = 0
  for index, key in ipairs(KEYS) do
    local old = redis.pcall("GET", key)
    local keep = false
    if type(old) == "string" then
      local readable, copy = pcall(cjson.decode, old)
      keep = readable and type(copy) == "table" and copy.run == run
        and (index <= tonumber(ARGV[5])
          or copy.epoch > epoch or (copy.epoch == epoch and copy.batch > batch))
    end
    if not keep then
      redis.call("SET", key, ARGV[5 + index], "PXAT", ARGV[4])
      written = written + 1
    end
  end
  return written`;

/**
 * Copies of one event at one version. `kept`: so many of the first replace none of the same run.
 */
export type VersionedCopies = Version & {
  expiresAtMs: number;
  copies: readonly { key: string; text: string }[];
  kept?: number;
};

/** The call that writes copies of one event. A late writer overwrites nothing newer. */
export function setIfNewer(
  { epoch, batch, expiresAtMs, copies, kept = 0 }: VersionedCopies,
  run: string,
): ScriptCall {
  const texts = copies.map(({ text }) => text);
  return {
    name: "setIfNewer",
    lua: SET_IF_NEWER,
    keys: copies.map(({ key }) => key),
    args: [run, epoch, batch, expiresAtMs, kept, ...texts],
  };
}

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
 * Availability at a version, never below 0. An import has batch 0. `status` is that of the event at
 * this version. Workers and copies in Redis do not name it: a status changes under a new epoch.
 */
export type AvailabilityUpdate = Version & {
  eventId: string;
  available: number;
  status?: EventStatus;
};

/**
 * Name of the broadcast to all gateways, `{ items: AvailabilityUpdate[] }`. It may be lost, late or
 * repeated: versions tell which value is newer, and gateways read the availability themselves at
 * intervals.
 */
export const AVAILABILITY_CHANGED = "availability.changed";

export type AvailabilityChanged = { items: AvailabilityUpdate[] };

/** An event is broadcast at most four times a second. */
export const AVAILABILITY_PACE_MS = 250;

export function isOlderVersion(one: Version, other: Version): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.batch < other.batch);
}

/**
 * Key of the cache generation. Pages and events that were cached under another generation are
 * stale.
 */
export const GENERATION_KEY = "catalog:generation";

export function availableKey(eventId: string): string {
  return `event:{${eventId}}:available`;
}

/** Key of the version from which on the copies of an event's tickets are trusted (ADR-0070). */
export function watermarkKey(eventId: string): string {
  return `event_ticket:{${eventId}}`;
}

/** The watermark of an event: copies of its tickets of older versions are not trusted. */
export function watermarkCopy(eventId: string, { epoch, batch }: Version, run: string) {
  return { key: watermarkKey(eventId), text: JSON.stringify({ run, epoch, batch }) };
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

/** The call that writes the availability of an event. */
export function setAvailability(left: Availability, run: string): ScriptCall {
  const copies = [{ key: availableKey(left.eventId), text: encodeAvailability(left, run) }];
  const { epoch, batch, endsAtMs } = left;
  return setIfNewer({ epoch, batch, expiresAtMs: expiryOf(endsAtMs, Date.now()), copies }, run);
}

/**
 * Writes the availability of different events in one round trip. A late writer overwrites nothing
 * newer. Rejects if Redis does not answer. Writes nothing while the run_id is unknown.
 */
export async function writeAvailability(
  redis: RedisClient,
  many: readonly Availability[],
): Promise<void> {
  const run = knownRun(redis);
  await runScripts(
    redis,
    many.map((left) => setAvailability(left, run)),
  );
}

/** Throws while the run_id is unknown: nothing may be written then. */
export function knownRun(redis: RedisClient): string {
  const run = redis.runId();
  if (run === undefined) throw new Error("Redis is away");
  return run;
}
