import type { RedisClient } from "./redis.ts";

/** When the event's worker (or an import, batch 0) wrote what is copied: the order in which copies overwrite each other. */
export type Stamp = { epoch: number; batch: number };

/**
 * KEYS: copies, all of one event. ARGV: epoch, batch, run_id, expiry (ms since 1970), then the text of each copy.
 * Writes each copy, except where one of the same run with a larger (epoch, batch) stands. Answers how many were written.
 */
const KEEP_LARGER = `
  local epoch, batch = tonumber(ARGV[1]), tonumber(ARGV[2])
  local written = 0
  for index, key in ipairs(KEYS) do
    local keep = false
    local old = redis.call("GET", key)
    if old then
      local readable, copy = pcall(cjson.decode, old)
      keep = readable and type(copy) == "table" and copy.run == ARGV[3]
        and (copy.epoch > epoch or (copy.epoch == epoch and copy.batch > batch))
    end
    if not keep then
      redis.call("SET", key, ARGV[index + 4], "PXAT", ARGV[4])
      written = written + 1
    end
  end
  return written`;

/** Copies of one event, written under one stamp. */
export type StampedCopies = { copies: readonly { key: string; value: object }[]; stamp: Stamp; expiresAtMs: number };

type KeepLarger = { keepLarger(...args: (string | number)[]): Promise<number> };

/** Which pages and events are as the catalogue is now: those kept under this word. */
export const GENERATION_KEY = "catalog:generation";

export function availableKey(eventId: string): string {
  return `event:{${eventId}}:available`;
}

/** What is left of an event as a copy says it, never below 0; undefined for a copy that is not trusted (unreadable, or written under another run of Redis). */
export function readAvailable(text: string | null | undefined, run: string): number | undefined {
  const copy = readCopy(text, run);
  return typeof copy?.available === "number" ? Math.max(0, copy.available) : undefined;
}

/** A trusted copy with its stamp, or undefined. */
export function readCopy(text: string | null | undefined, run: string): (Stamp & Record<string, unknown>) | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const copy = JSON.parse(text) as Stamp & Record<string, unknown>;
    return copy.run === run && typeof copy.epoch === "number" && typeof copy.batch === "number" ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a copy: the value with the stamp and the run of Redis it is written under. */
export function copyText(value: object, { epoch, batch }: Stamp, run: string): string {
  return JSON.stringify({ epoch, batch, run, ...value });
}

/** Writes copies of one event, so that a late writer overwrites nothing newer. Rejects when Redis does not answer; writes nothing while its run is not known. */
export async function writeCopies(
  redis: RedisClient,
  copies: readonly { key: string; value: object }[],
  stamp: Stamp,
  expiresAtMs: number,
): Promise<void> {
  await withScript(redis).keepLarger(...scriptArguments({ copies, stamp, expiresAtMs }, presentRun(redis)));
}

/** As `writeCopies`, for many in one go. Rejects when Redis is away, else says in their order which were not written, and why. */
export async function writeCopiesOfMany(redis: RedisClient, many: readonly StampedCopies[]): Promise<(Error | null)[]> {
  const run = presentRun(redis);
  const pipeline = withScript(redis).pipeline() as unknown as KeepLarger & { exec(): Promise<[Error | null, unknown][] | null> };
  for (const one of many) void pipeline.keepLarger(...scriptArguments(one, run));
  const results = await pipeline.exec();
  return many.map((_one, index) => results?.[index]?.[0] ?? null);
}

function presentRun(redis: RedisClient): string {
  const run = redis.runId();
  if (run === undefined) throw new Error("Redis is away");
  return run;
}

function withScript(redis: RedisClient): RedisClient & KeepLarger {
  if (!("keepLarger" in redis)) redis.defineCommand("keepLarger", { lua: KEEP_LARGER });
  return redis as RedisClient & KeepLarger;
}

function scriptArguments({ copies, stamp, expiresAtMs }: StampedCopies, run: string): (string | number)[] {
  const texts = copies.map(({ value }) => copyText(value, stamp, run));
  return [copies.length, ...copies.map(({ key }) => key), stamp.epoch, stamp.batch, run, Math.round(expiresAtMs), ...texts];
}
