import { Redis } from "ioredis";

/** The engine's own clients give up after half a second. A tool waits for a busy machine. */
const COMMAND_TIMEOUT_MS = 30_000;

/** Runs work with a connection to Redis, and closes it. Rejects if Redis does not answer. */
export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { commandTimeout: COMMAND_TIMEOUT_MS });
  redis.on("error", () => undefined); // The command's own error reports it.
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
