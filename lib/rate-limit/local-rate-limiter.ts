import type { Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import { RateLimiterRedis, type RateLimiterRes } from "rate-limiter-flexible";
import type { RefusalData } from "../../domain/refusal.ts";
import { guarded } from "../observability/faults.ts";

/** `max` requests within `windowS` seconds. Clients see the name. */
export type Limit = { name: string; max: number; windowS: number };

/** `resetS`: seconds until the window ends, at least 1. */
export type RateLimitResult = { allowed: boolean; limit: Limit; remaining: number; resetS: number };

/** `shared`: known count of all nodes, this one's included. `unsent`: counted since the merge. */
type Count = { endsMs: number; shared: number; unsent: number };

/** Bounds memory. The keys unused for longest are evicted; their windows end within seconds. */
const KEYS_MAX = 100_000;
/** Share of the limit from which a node merges a key, so that normal use costs no round trip. */
const SHARED_FROM = 0.1;

export type CountedThrottle = {
  /** Counts one if it is within the limit. Does not wait. */
  take(key: string): RateLimitResult;
  /** The result of another `take`, without counting. */
  look(key: string): RateLimitResult;
  close(): void;
};

/**
 * Counts in the process and merges with other nodes in Redis every `mergeMs`, for requests that
 * must not wait. While Redis is down each process limits by its own count. With n nodes a burst can
 * reach n times the limit before the first merge. See
 * docs/decisions/0022-rate-limits-are-counted-in-the-process.md.
 */
export function createCountedThrottle(
  redis: Redis,
  limit: Limit,
  mergeMs: number,
): CountedThrottle {
  const counts = new LRUCache<string, Count>({ max: KEYS_MAX });
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
        // Redis is down, which its connection logs: the local count stays.
        () => undefined,
      );
    }
  };
  const timer = setInterval(() => guarded("timer", merge), mergeMs);
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

export function verdictOf(limit: Limit, used: number, msLeft: number): RateLimitResult {
  const resetS = Math.max(1, Math.ceil(msLeft / 1_000));
  return { allowed: used <= limit.max, limit, remaining: Math.max(0, limit.max - used), resetS };
}

/** RateLimit headers (draft-ietf-httpapi-ratelimit-headers), with Retry-After for a refusal. */
export function rateLimitHeaders({
  allowed,
  limit,
  remaining,
  resetS,
}: RateLimitResult): Record<string, string> {
  const headers = {
    "RateLimit-Policy": `"${limit.name}";q=${limit.max};w=${limit.windowS}`,
    RateLimit: `"${limit.name}";r=${remaining};t=${resetS}`,
  };
  return allowed ? headers : { ...headers, "Retry-After": String(resetS) };
}

/** Members of the problem document of a refusal. */
export function throttledData({ limit, resetS }: RateLimitResult): RefusalData {
  return { limit: limit.name, retryAfterS: resetS };
}
