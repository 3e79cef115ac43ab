import type { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { type Limit, type RateLimitResult, verdictOf } from "./local-rate-limiter.ts";

/**
 * Counts in Redis, exactly over all nodes and restarts, for rare requests: each count is a round
 * trip. While Redis is down each process counts by itself.
 */
export type SharedThrottle = {
  take(key: string): Promise<RateLimitResult>;
  /** Takes back one that must not count. */
  giveBack(key: string): Promise<void>;
};

/** A SharedThrottle with exponential back-off: each used-up limit doubles the wait. */
export type BackOff = SharedThrottle & {
  /** Forgets the key and its back-off. */
  forget(key: string): Promise<void>;
};

/** The back-off starts again after a day without a used-up limit. */
const ROUNDS_REMEMBERED_S = 86_400;

export function createSharedThrottle(redis: Redis, limit: Limit): SharedThrottle {
  const limiter = insuredLimiter(redis, limit);
  return {
    take: async (key) => verdictOf(limit, ...(await consume(limiter, key))),
    async giveBack(key) {
      await limiter.reward(key);
    },
  };
}

/** `firstS`: the first wait. `mostS`: the longest one, so that no account is locked for good. */
export function createBackOff(
  redis: Redis,
  limit: Limit,
  { firstS, mostS }: { firstS: number; mostS: number },
): BackOff {
  const limiter = insuredLimiter(redis, limit);
  const rounds = insuredLimiter(redis, {
    name: `${limit.name}-rounds`,
    max: Number.MAX_SAFE_INTEGER,
    windowS: ROUNDS_REMEMBERED_S,
  });
  return {
    async take(key) {
      const [used, msLeft] = await consume(limiter, key);
      // Exactly one of concurrent requests is the first beyond the limit.
      if (used !== limit.max + 1) return verdictOf(limit, used, msLeft);
      const { consumedPoints: round } = await rounds.penalty(key);
      const waitS = Math.min(mostS, firstS * 2 ** (round - 1));
      await limiter.block(key, waitS);
      return verdictOf(limit, used, waitS * 1_000);
    },
    async giveBack(key) {
      await limiter.reward(key);
    },
    async forget(key) {
      await Promise.all([limiter.delete(key), rounds.delete(key)]);
    },
  };
}

/** Remembers keys for a while, on all nodes; without Redis in this process. */
export function createMarks(
  redis: Redis,
  name: string,
  windowS: number,
): { mark(key: string): Promise<void>; has(key: string): Promise<boolean> } {
  const limiter = insuredLimiter(redis, { name, max: 1, windowS });
  return {
    async mark(key) {
      await limiter.set(key, 1, windowS);
    },
    has: async (key) => (await limiter.get(key)) !== null,
  };
}

function insuredLimiter(redis: Redis, { name, max, windowS }: Limit): RateLimiterRedis {
  const options = { keyPrefix: `throttle:${name}`, points: max, duration: windowS };
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(options),
  });
}

/** Counts one. Returns the count and the milliseconds until the window ends. */
async function consume(
  limiter: RateLimiterRedis,
  key: string,
): Promise<[used: number, msLeft: number]> {
  try {
    const { consumedPoints, msBeforeNext } = await limiter.consume(key);
    return [consumedPoints, msBeforeNext];
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return [refusal.consumedPoints, refusal.msBeforeNext];
  }
}
