import { type Clock, systemClock } from "../../mixins/clock.ts";
import type { Database } from "../../mixins/database.ts";
import { availableKey, type Left, leftText, readLeft, writeLeft } from "../../mixins/kept-copies.ts";
import type { RedisClient } from "../../mixins/redis.ts";

/** What PostgreSQL says an event has to sell, as of (epoch, batch): the worker's last commit in the same snapshot. */
export type Truth = Omit<Left, "endsAtMs">;
export type WrongCopy = Truth & { found: number; mended: boolean };

const PAGE = 1_000;
/** A worker writes its copy right after the commit: one that is still behind after this long was forgotten. */
const GRACE_MS = 500;

/**
 * KEYS[1]: a copy. ARGV[1]: the text it must still hold, ARGV[2]: the text to put there. Keeps its time to live. Answers 1 when it did.
 * A worker that wrote meanwhile holds something newer, which stays.
 */
const REPLACE_IF_SAME = `
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call("SET", KEYS[1], ARGV[2], "KEEPTTL")
  return 1`;

/** What can be sold of events, with the stamp of the last commit that changed it and the end of the event, in one snapshot. */
export const AVAILABLE = `
  SELECT event.id AS "eventId", (event.capacity + coalesce(waiting.quantity, 0))::float8 AS available,
    worker.epoch::float8 AS epoch, worker.batch::float8 AS batch, (extract(epoch FROM event.ends_at) * 1000)::float8 AS "endsAtMs"
  FROM unnest($1::uuid[]) AS named (id) JOIN event USING (id) JOIN event_worker AS worker ON worker.event_id = event.id
  LEFT JOIN LATERAL (SELECT sum(quantity) AS quantity FROM event_ticket_transactions WHERE event_id = event.id) AS waiting ON true`;

/**
 * Writes the copies of what these events have to sell from PostgreSQL, as their worker would have: one that died between its commit and its copy leaves
 * an older one behind, which readers would trust until the next sale. A newer copy stays. False where Redis has not taken them.
 */
export async function renewAvailable(database: Database, redis: RedisClient, eventIds: readonly string[]): Promise<boolean> {
  const truths = await database.query<Left>({ text: AVAILABLE, values: [eventIds] });
  try {
    if (truths.length > 0) await writeLeft(redis, truths);
    return true;
  } catch {
    return false;
  }
}

type Suspect = { truth: Truth; key: string; text: string; found: number };

/**
 * Compares the copies of what is available with the truth and, if `mend`, puts the truth in place of the wrong ones. A copy that readers do not
 * trust (absent, unreadable, of another run of Redis) is no difference, and neither is one newer than the snapshot.
 * Returns undefined when Redis cannot be asked.
 */
export async function checkAvailableCopies(
  redis: RedisClient,
  truths: readonly Truth[],
  mend: boolean,
  clock: Clock = systemClock,
): Promise<WrongCopy[] | undefined> {
  const run = redis.runId();
  if (run === undefined) return undefined;
  try {
    const suspects: Suspect[] = [];
    for (let start = 0; start < truths.length; start += PAGE)
      suspects.push(...(await suspectsOf(redis, run, truths.slice(start, start + PAGE))));
    if (suspects.length === 0) return [];
    await new Promise<void>((resolve) => clock.after(GRACE_MS, resolve));
    const wrong: WrongCopy[] = [];
    for (const { truth, key, text, found } of suspects) {
      if ((await redis.get(key)) !== text) continue;
      const mended = mend && (await redis.eval(REPLACE_IF_SAME, 1, key, text, leftText(truth, run))) === 1;
      wrong.push({ ...truth, found, mended });
    }
    return wrong;
  } catch {
    return undefined;
  }
}

async function suspectsOf(redis: RedisClient, run: string, truths: readonly Truth[]): Promise<Suspect[]> {
  const keys = truths.map(({ eventId }) => availableKey(eventId));
  const texts = await redis.mget(...keys);
  return truths.flatMap((truth, index) => {
    const [key, text] = [keys[index], texts[index]];
    const copy = readLeft(text, run);
    if (key === undefined || typeof text !== "string" || copy === undefined) return [];
    const newer = copy.epoch > truth.epoch || (copy.epoch === truth.epoch && copy.batch > truth.batch);
    // What is below zero is shown as none left.
    if (newer || copy.available === Math.max(0, truth.available)) return [];
    return [{ truth, key, text, found: copy.available }];
  });
}
