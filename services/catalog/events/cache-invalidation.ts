import { createHash, randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import {
  availableKey,
  GENERATION_KEY,
  type Availability,
  writeAvailability,
} from "../../../lib/availability/availability-cache.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";

/** However rarely something is imported, every copy is read anew this often. */
export const GENERATION_MS = 600_000;

const DOUBTFUL_MS = 60_000;

export function eventKey(eventId: string): string {
  return `event:{${eventId}}`;
}

/** Of one fixed length, whatever is searched for. */
export function pageKey(question: string): string {
  return `catalog:page:${createHash("sha256").update(question).digest("base64url")}`;
}

/**
 * Before events are changed: should this process die after the commit and before the copies are renewed, what they say of the catalogue as it was is
 * fresh no longer than a minute. Never rejects.
 */
export async function expireSoon(redis: RedisClient, eventIds: readonly string[]): Promise<void> {
  try {
    await Promise.all([
      redis.set(GENERATION_KEY, randomUUID(), "PX", DOUBTFUL_MS),
      ...eventIds.map((id) => redis.pexpire(availableKey(id), DOUBTFUL_MS, "LT")),
    ]);
  } catch {
    // Said by the connection itself, once per outage.
  }
}

export type Renewals = {
  /** No page and no event that was read before is fresh from now on. Never rejects. */
  pages(): Promise<void>;
  /** Forgets the copy of an event that was changed. Never rejects: under the new generation of pages it is not fresh, wherever it stays. */
  forget(eventId: string): Promise<void>;
  /** Writes what a changed event has left under the epoch that the change took. Never rejects. */
  left(left: Availability): Promise<void>;
  close(): void;
};

/**
 * The copies after imports have committed. What Redis has not taken is repeated until it has: a worker that is late or repeats as well would else leave
 * what was left before, under a smaller stamp and with nothing larger to stop it.
 */
export function createRenewals(
  redis: RedisClient,
  repeatEveryMs = 1_000,
  clock: Clock = systemClock,
): Renewals {
  let pagesOwed = false;
  /** The newest of each event. */
  const pendingWrites = new Map<string, Availability>();
  let repeat: { cancel(): void } | undefined;
  let closed = false;

  const repeatLater = (): void => {
    if (!closed) repeat ??= clock.after(repeatEveryMs, () => void repeatAll());
  };
  const pages = async (): Promise<void> => {
    pagesOwed = true;
    try {
      await redis.set(GENERATION_KEY, randomUUID(), "PX", GENERATION_MS);
      pagesOwed = false;
    } catch {
      // Said by the connection itself, once per outage.
      repeatLater();
    }
  };
  const writeOrRepeat = async (left: Availability): Promise<boolean> => {
    const { eventId, epoch } = left;
    try {
      await writeAvailability(redis, [left]);
      if ((pendingWrites.get(eventId)?.epoch ?? epoch) <= epoch) pendingWrites.delete(eventId);
      return true;
    } catch {
      repeatLater();
      return false;
    }
  };
  const repeatAll = async (): Promise<void> => {
    repeat = undefined;
    if (pagesOwed) await pages();
    // The first that fails has said when to try again.
    for (const left of [...pendingWrites.values()]) if (!(await writeOrRepeat(left))) return;
  };

  return {
    pages,
    async forget(eventId) {
      await redis.del(eventKey(eventId)).catch(() => undefined);
    },
    async left(left) {
      if ((pendingWrites.get(left.eventId)?.epoch ?? 0) < left.epoch)
        pendingWrites.set(left.eventId, left);
      await writeOrRepeat(left);
    },
    close() {
      closed = true;
      repeat?.cancel();
    },
  };
}
