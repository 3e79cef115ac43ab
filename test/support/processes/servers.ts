import { Redis } from "ioredis";
import { Client } from "pg";
import { processEnvironment, type ServerUrls } from "../../../config/index.ts";

/** `npm test` starts its servers with as many vhosts. Redis has 16 databases. */
export const SLOTS = 8;
const SLOT_LOCKS = 720_621_553;

/** Returns the servers that `npm test` started. Throws elsewhere, to write to no other server. */
export function serverUrls(): ServerUrls {
  const { DATABASE_URL, REDIS_URL, AMQP_URL, TRANSPORTER } = processEnvironment();
  if (!DATABASE_URL || !REDIS_URL || !AMQP_URL || !TRANSPORTER)
    throw new Error(
      "This test needs servers: run it by `npm test -- NAME`, which starts them, " +
        "or set DATABASE_URL, REDIS_URL, AMQP_URL and TRANSPORTER",
    );
  return { DATABASE_URL, REDIS_URL, AMQP_URL, TRANSPORTER };
}

/** Returns PostgreSQL by the engine's role; on a server without it, as `serverUrls`. */
export function engineRoleUrl(): string {
  return processEnvironment().TEST_ENGINE_URL ?? serverUrls().DATABASE_URL;
}

/** A Redis database, emptied, and a vhost of RabbitMQ for one holder at a time. */
export type Slot = {
  redisUrl: string;
  /** The variables of its servers, without the database. */
  urls: Omit<ServerUrls, "DATABASE_URL">;
  release(): Promise<void>;
};

/**
 * Takes a free slot until release or the end of the process, by an advisory lock in PostgreSQL.
 * The vhost may have queues of an earlier holder; delete those the test asserts on. Throws if all
 * slots are taken.
 */
export async function claimSlot(): Promise<Slot> {
  const urls = serverUrls();
  const holder = new Client({
    connectionString: urls.DATABASE_URL,
    connectionTimeoutMillis: 5_000,
    application_name: "test slot",
  });
  // A test may kill PostgreSQL, which frees all slots.
  holder.on("error", () => undefined);
  await holder.connect();
  for (let number = 1; number <= SLOTS; number += 1) {
    const { rows } = await holder.query<{ taken: boolean }>(
      "SELECT pg_try_advisory_lock($1, $2) AS taken",
      [SLOT_LOCKS, number],
    );
    if (rows[0]?.taken !== true) continue;
    const redisUrl = withPath(urls.REDIS_URL, String(number));
    await flush(redisUrl);
    return {
      redisUrl,
      urls: {
        REDIS_URL: redisUrl,
        AMQP_URL: withPath(urls.AMQP_URL, `slot-${number}`),
        TRANSPORTER: urls.TRANSPORTER,
      },
      release: () => holder.end(),
    };
  }
  await holder.end();
  throw new Error(`All ${SLOTS} slots of the test servers are taken`);
}

async function flush(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 1, commandTimeout: 5_000 });
  redis.on("error", () => undefined); // The command's own error reports it.
  try {
    await redis.flushdb();
  } finally {
    redis.disconnect();
  }
}

function withPath(text: string, path: string): string {
  const url = new URL(text);
  url.pathname = `/${path}`;
  return url.href;
}
