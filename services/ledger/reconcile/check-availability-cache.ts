import {
  isOlderVersion,
  availableKey,
  type Availability,
  encodeAvailability,
  readAvailability,
} from "../../../lib/availability/availability-cache.ts";
import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";

/**
 * The availability that PostgreSQL has as of (epoch, batch), the worker's last commit in the same
 * snapshot.
 */
export type Truth = Omit<Availability, "endsAtMs">;
export type WrongCopy = Truth & { found: number; mended: boolean };

const PAGE = 1_000;
/**
 * A worker writes the cache right after its commit. A value that is older than this was forgotten.
 */
const SETTLE_TIMEOUT_MS = 500;

/**
 * Replaces a cached value if it is unchanged. KEYS[1]: the copy. ARGV[1]: the text it must still
 * hold, ARGV[2]: the new text. Keeps the time to live. Returns 1 if replaced. A worker's newer
 * value stays.
 */
const REPLACE_IF_SAME = `
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call("SET", KEYS[1], ARGV[2], "KEEPTTL")
  return 1`;

type Suspect = { truth: Truth; key: string; text: string; copy: Omit<Truth, "eventId"> };

/**
 * Compares the cached availability with PostgreSQL and, with `mend`, corrects it. A value that
 * readers do not trust (missing, unreadable, of another run of Redis) is no discrepancy.
 *
 * A value that is newer than the snapshot is compared with what `readNow` returns after it was
 * read. Nothing is cached before PostgreSQL has it, so a value that is newer than that too comes
 * from before a restored backup. Returns undefined if Redis does not answer. Rejects if `readNow`
 * does.
 */
export async function checkAvailableCopies(
  redis: RedisClient,
  truths: readonly Truth[],
  {
    mend,
    readNow,
    clock = systemClock,
  }: { mend: boolean; readNow: (eventIds: string[]) => Promise<readonly Truth[]>; clock?: Clock },
): Promise<WrongCopy[] | undefined> {
  const run = redis.runId();
  if (run === undefined) return undefined;
  const suspects: Suspect[] = [];
  try {
    for (let start = 0; start < truths.length; start += PAGE)
      suspects.push(...(await suspectsOf(redis, run, truths.slice(start, start + PAGE))));
  } catch {
    return undefined;
  }
  if (suspects.length === 0) return [];
  await new Promise<void>((resolve) => clock.after(SETTLE_TIMEOUT_MS, resolve));
  const newer = suspects
    .filter(({ truth, copy }) => isOlderVersion(truth, copy))
    .map(({ truth }) => truth.eventId);
  const now = new Map(
    newer.length === 0 ? [] : (await readNow(newer)).map((truth) => [truth.eventId, truth]),
  );
  try {
    const wrong: WrongCopy[] = [];
    for (const { truth: before, key, text, copy } of suspects) {
      const ahead = isOlderVersion(before, copy);
      const truth = ahead ? now.get(before.eventId) : before;
      if (truth === undefined || !differs(copy, truth)) continue;
      // PostgreSQL has what the copy has, or more by now: a sale is running.
      if (ahead && !isOlderVersion(truth, copy)) continue;
      if ((await redis.get(key)) !== text) continue;
      const mended =
        mend &&
        (await redis.eval(REPLACE_IF_SAME, 1, key, text, encodeAvailability(truth, run))) === 1;
      wrong.push({ ...truth, found: copy.available, mended });
    }
    return wrong;
  } catch {
    return undefined;
  }
}

async function suspectsOf(
  redis: RedisClient,
  run: string,
  truths: readonly Truth[],
): Promise<Suspect[]> {
  const keys = truths.map(({ eventId }) => availableKey(eventId));
  const texts = await redis.mget(...keys);
  return truths.flatMap((truth, index) => {
    const [key, text] = [keys[index], texts[index]];
    const copy = readAvailability(text, run);
    if (key === undefined || typeof text !== "string" || copy === undefined) return [];
    return differs(copy, truth) ? [{ truth, key, text, copy }] : [];
  });
}

/** A negative availability is shown as 0. */
function differs(copy: Pick<Truth, "available">, truth: Pick<Truth, "available">): boolean {
  return copy.available !== Math.max(0, truth.available);
}
