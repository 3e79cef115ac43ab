import type { RedisClient } from "./redis.ts";

/** When the event's worker (or an import, batch 0) wrote what is copied: the order in which copies overwrite each other. */
export type Stamp = { epoch: number; batch: number };

/**
 * KEYS[1]: a copy. ARGV: epoch, batch, run_id, expiry (ms since 1970), the copy's text.
 * Writes it, except where one of the same run with a larger (epoch, batch) stands. Answers how many were written.
 */
const KEEP_LARGER = `
  local epoch, batch = tonumber(ARGV[1]), tonumber(ARGV[2])
  local old = redis.call("GET", KEYS[1])
  if old then
    local readable, copy = pcall(cjson.decode, old)
    if readable and type(copy) == "table" and copy.run == ARGV[3]
      and (copy.epoch > epoch or (copy.epoch == epoch and copy.batch > batch)) then return 0 end
  end
  redis.call("SET", KEYS[1], ARGV[5], "PXAT", ARGV[4])
  return 1`;

const DAY_MS = 86_400_000;

/** What an event has left to sell as of the stamp. `endsAtMs`: the event's end; its copy lives a day longer. */
export type Left = Stamp & { eventId: string; available: number; endsAtMs: number };

type KeepLarger = { keepLarger(...args: (string | number)[]): Promise<number> };

/** Which pages and events are as the catalogue is now: those kept under this word. */
export const GENERATION_KEY = "catalog:generation";

export function availableKey(eventId: string): string {
  return `event:{${eventId}}:available`;
}

/** What is left of an event as a copy says it, never below 0; undefined for a copy that is not trusted (see `readLeft`). */
export function readAvailable(text: string | null | undefined, run: string): number | undefined {
  const copy = readLeft(text, run);
  return copy && Math.max(0, copy.available);
}

/** A copy with its stamp; undefined where it is not trusted: unreadable, or written under another run of Redis. */
export function readLeft(text: string | null | undefined, run: string): Omit<Left, "eventId" | "endsAtMs"> | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const { epoch, batch, available, run: written } = JSON.parse(text) as Partial<Left> & { run?: string };
    const whole = typeof epoch === "number" && typeof batch === "number" && typeof available === "number";
    return whole && written === run ? { epoch, batch, available } : undefined;
  } catch {
    return undefined;
  }
}

/** The text of the copy of what is left, written under this run of Redis. */
export function leftText({ epoch, batch, available }: Omit<Left, "eventId" | "endsAtMs">, run: string): string {
  return JSON.stringify({ epoch, batch, run, available: Math.max(0, available) });
}

/** Writes the copy so that a late writer overwrites nothing newer. Rejects when Redis does not answer; writes nothing while its run is not known. */
export async function writeLeft(redis: RedisClient, left: Left): Promise<void> {
  await withScript(redis).keepLarger(...scriptArguments(left, presentRun(redis)));
}

/** As `writeLeft`, for many in one go. Rejects when Redis is away, else says in their order which were not written, and why. */
export async function writeLeftOfMany(redis: RedisClient, many: readonly Left[]): Promise<(Error | null)[]> {
  const run = presentRun(redis);
  const pipeline = withScript(redis).pipeline() as unknown as KeepLarger & { exec(): Promise<[Error | null, unknown][] | null> };
  for (const left of many) void pipeline.keepLarger(...scriptArguments(left, run));
  const results = await pipeline.exec();
  return many.map((_left, index) => results?.[index]?.[0] ?? null);
}

function presentRun(redis: RedisClient): string {
  const run = redis.runId();
  if (run === undefined) throw new Error("Redis is away");
  return run;
}

function withScript(redis: RedisClient): RedisClient & KeepLarger {
  if (!("keepLarger" in redis)) redis.defineCommand("keepLarger", { lua: KEEP_LARGER, numberOfKeys: 1 });
  return redis as RedisClient & KeepLarger;
}

function scriptArguments(left: Left, run: string): (string | number)[] {
  const expiresAtMs = Math.round(Math.max(left.endsAtMs, Date.now()) + DAY_MS);
  return [availableKey(left.eventId), left.epoch, left.batch, run, expiresAtMs, leftText(left, run)];
}
