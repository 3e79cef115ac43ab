import { createHash, randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import {
  availableKey,
  expiryOf,
  GENERATION_KEY,
  type Availability,
  knownRun,
  setAvailability,
  setIfNewer,
  watermarkCopy,
  watermarkKey,
} from "../../../lib/availability/availability-cache.ts";
import { type RedisClient, runScripts } from "../../../lib/redis/client.ts";

/** Lifetime of a generation: all copies are read anew this often, also without an import. */
export const GENERATION_MS = 600_000;

/** Lifetime of copies while an import is between its commit and the renewal. */
const UNRENEWED_MS = 60_000;

export function eventKey(eventId: string): string {
  return `event:{${eventId}}`;
}

/** Hashes the search, so that keys have a fixed length. */
export function pageKey(question: string): string {
  return `catalog:page:${createHash("sha256").update(question).digest("base64url")}`;
}

/**
 * Shortens the life of copies before events are changed: if the process dies between commit and
 * renewal, the old copies are fresh for a minute at most. Never rejects.
 */
export async function expireSoon(redis: RedisClient, eventIds: readonly string[]): Promise<void> {
  try {
    await Promise.all([
      redis.set(GENERATION_KEY, randomUUID(), "PX", UNRENEWED_MS),
      ...eventIds.flatMap((id) =>
        [availableKey(id), watermarkKey(id)].map((key) => redis.pexpire(key, UNRENEWED_MS, "LT")),
      ),
    ]);
  } catch {
    // The Redis client logs each outage once.
  }
}

export type CacheInvalidation = {
  /** Makes all copies of pages and events stale. Never rejects. */
  invalidate(): Promise<void>;
  /**
   * Deletes the copy of a changed event. Never rejects: a copy that stays is stale under the new
   * generation.
   */
  forget(eventId: string): Promise<void>;
  /**
   * Writes the availability of a changed event, and raises its watermark: copies of its tickets
   * from before the epoch `ticketsFrom` show the old event and are no longer trusted. Never
   * rejects.
   */
  renew(availability: Availability, ticketsFrom: number): Promise<void>;
  close(): void;
};

type Renewal = { availability: Availability; ticketsFrom: number };

/**
 * Renews the copies after an import has committed. Retries until Redis has accepted each write:
 * a late worker could else leave the old availability, with no newer version to replace it.
 */
export function createCacheInvalidation(
  redis: RedisClient,
  retryEveryMs = 1_000,
  clock: Clock = systemClock,
): CacheInvalidation {
  let invalidationPending = false;
  /** The newest write per event. */
  const pendingWrites = new Map<string, Renewal>();
  let retry: { cancel(): void } | undefined;
  let closed = false;

  const retryLater = (): void => {
    if (!closed) retry ??= clock.after(retryEveryMs, () => void retryAll());
  };
  const invalidate = async (): Promise<void> => {
    invalidationPending = true;
    try {
      await redis.set(GENERATION_KEY, randomUUID(), "PX", GENERATION_MS);
      invalidationPending = false;
    } catch {
      // The Redis client logs each outage once.
      retryLater();
    }
  };
  const writeOrRetry = async (renewal: Renewal): Promise<boolean> => {
    const { availability, ticketsFrom } = renewal;
    const { eventId, endsAtMs } = availability;
    try {
      const run = knownRun(redis);
      const version = { epoch: ticketsFrom, batch: 0 };
      const copies = [watermarkCopy(eventId, version, run)];
      const expiresAtMs = expiryOf(endsAtMs, Date.now());
      await runScripts(redis, [
        setAvailability(availability, run),
        setIfNewer({ ...version, expiresAtMs, copies }, run),
      ]);
      const pending = pendingWrites.get(eventId);
      if ((pending?.ticketsFrom ?? ticketsFrom) <= ticketsFrom) pendingWrites.delete(eventId);
      return true;
    } catch {
      retryLater();
      return false;
    }
  };
  const retryAll = async (): Promise<void> => {
    retry = undefined;
    if (invalidationPending) await invalidate();
    // The first failure has scheduled the next retry.
    for (const write of [...pendingWrites.values()]) if (!(await writeOrRetry(write))) return;
  };

  return {
    invalidate,
    async forget(eventId) {
      await redis.del(eventKey(eventId)).catch(() => undefined);
    },
    async renew(availability, ticketsFrom) {
      const { eventId } = availability;
      const renewal = { availability, ticketsFrom };
      if ((pendingWrites.get(eventId)?.ticketsFrom ?? 0) < ticketsFrom)
        pendingWrites.set(eventId, renewal);
      await writeOrRetry(renewal);
    },
    close() {
      closed = true;
      retry?.cancel();
    },
  };
}
