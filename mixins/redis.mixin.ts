import type { ServiceSchema } from "moleculer";
import { nodeContextOf, serverUrlOf, watchConnection } from "../lib/bus/node-context.ts";
import { createSharedClient } from "../lib/bus/shared-client.ts";
import { openRedis, type RedisClient, whenReady } from "../lib/redis/client.ts";
import { defineMixin } from "./define-mixin.ts";

/** What `RedisMixin` adds to a service. */
export type WithRedis = { redis: RedisClient };

/** A start waits this long for Redis, then continues without it. */
const READY_MS = 2_000;

/** The Redis connection of a node. */
export const redisConnection = createSharedClient<RedisClient>(
  (broker) => {
    const log = broker.getLogger("node");
    const { config, troubles } = nodeContextOf(broker);
    const redis = openRedis(
      serverUrlOf(broker, "redisUrl"),
      (message) => log.warn(message),
      config.serversCa?.pem,
      troubles,
    );
    watchConnection(broker, "redis", () => redis.status === "ready");
    return redis;
  },
  (redis) => redis.disconnect(),
);

/** Gives a service the node's Redis connection. A service starts without Redis, degraded. */
export function RedisMixin(): Partial<ServiceSchema> {
  return defineMixin<WithRedis>({
    created() {
      this.redis = redisConnection.acquire(this.broker);
    },
    async started() {
      if (!(await whenReady(this.redis, READY_MS)))
        this.logger.warn("Redis does not answer: starting without copies and leases");
    },
    async stopped() {
      await redisConnection.release(this.broker);
    },
  });
}
