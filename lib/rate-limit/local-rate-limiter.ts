import type { Redis } from "ioredis";
import { RateLimiterRedis, type RateLimiterRes } from "rate-limiter-flexible";
import { FifoMap } from "../concurrency/fifo-map.ts";
import { type Limit, type RateLimitResult, verdictOf } from "./rate-limit.ts";

/** `shared` is what all nodes have counted as far as is known, this node's part included; `unsent` is what the others have not heard of. */
type Count = { endsMs: number; shared: number; unsent: number };

/** Whoever is forgotten first has a window of ten seconds or little more left; 100,000 addresses in that time are another kind of attack. */
const KEYS_MAX = 100_000;
/** A node tells the others of a key once it has used so much of the limit: nobody who behaves costs a round trip. */
const SHARED_FROM = 0.1;

export type CountedThrottle = {
  /** Counts one and says whether it is within the limit; what is refused is not counted. Waits for nothing. */
  take(key: string): RateLimitResult;
  /** What another `take` would say, without counting. */
  look(key: string): RateLimitResult;
  close(): void;
};

/**
 * For what must not wait: counted in the process, and brought together with the other nodes' counts in Redis every `mergeMs`. While Redis is away
 * each process limits by its own count. With n nodes a burst may get up to n times the limit through before the first merge, and what each
 * node keeps to itself afterwards (a tenth).
 */
export function createCountedThrottle(
  redis: Redis,
  limit: Limit,
  mergeMs: number,
): CountedThrottle {
  const counts = new FifoMap<string, Count>(KEYS_MAX);
  const store = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `throttle:${limit.name}`,
    points: limit.max,
    duration: limit.windowS,
    rejectIfRedisNotReady: true,
  });
  const sharedFrom = Math.max(1, Math.ceil(limit.max * SHARED_FROM));
  let unsent = new Map<string, Count>();

  const merge = (): void => {
    const sending = unsent;
    unsent = new Map();
    for (const [key, count] of sending) {
      const { unsent: points } = count;
      count.shared += points;
      count.unsent = 0;
      store.penalty(key, points).then(
        ({ consumedPoints, msBeforeNext }: RateLimiterRes) => {
          count.shared = consumedPoints;
          count.endsMs = performance.now() + msBeforeNext;
        },
        // Redis is away, which its connection has said: the own count stands.
        () => undefined,
      );
    }
  };
  const timer = setInterval(merge, mergeMs);
  timer.unref();

  const current = (key: string, nowMs: number): Count | undefined => {
    const count = counts.get(key);
    return count === undefined || nowMs >= count.endsMs ? undefined : count;
  };
  return {
    take(key) {
      const nowMs = performance.now();
      let count = current(key, nowMs);
      if (count === undefined) {
        // Taken out first, so that the map forgets by the age of windows and not of clients.
        counts.delete(key);
        counts.set(key, (count = { endsMs: nowMs + limit.windowS * 1_000, shared: 0, unsent: 0 }));
      }
      const used = count.shared + count.unsent + 1;
      if (used <= limit.max) {
        count.unsent += 1;
        if (count.unsent >= sharedFrom) unsent.set(key, count);
      }
      return verdictOf(limit, used, count.endsMs - nowMs);
    },
    look(key) {
      const nowMs = performance.now();
      const count = current(key, nowMs);
      return count === undefined
        ? verdictOf(limit, 1, limit.windowS * 1_000)
        : verdictOf(limit, count.shared + count.unsent + 1, count.endsMs - nowMs);
    },
    close: () => clearInterval(timer),
  };
}
