import type { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { type Limit, type RateLimitResult, verdictOf } from "./rate-limit.ts";

/**
 * For what is rare and slow anyway: every count is one round trip to Redis and exact over all nodes, also after a restart of the engine.
 * While Redis is away or frozen each process counts by itself.
 */
export type SharedThrottle = {
  take(key: string): Promise<RateLimitResult>;
  /** Takes one back that turned out not to count. */
  giveBack(key: string): Promise<void>;
};

/** As SharedThrottle, with rounds: each time the limit is used up, the wait is twice as long as the time before. */
export type BackOff = SharedThrottle & {
  /** Forgets the key and its rounds. */
  forget(key: string): Promise<void>;
};

/** A day without using the limit up, and the first wait is short again. */
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

/** `firstS` is the wait after the first round, `mostS` the longest there is: nobody is locked out for good. */
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
      // Of many at once exactly one is the first beyond the limit.
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

/** What is remembered of keys for a while, by all nodes; without Redis by this process. */
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

/** How many there are now, this one included, and the milliseconds left of their window. */
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
