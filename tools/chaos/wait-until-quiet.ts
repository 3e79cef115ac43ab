import { setTimeout as delay } from "node:timers/promises";
import { connect } from "amqplib";
import { availableKey, readAvailable } from "../../lib/availability/availability-cache.ts";
import { TRANSACTION_QUEUE } from "../../lib/queue/topology.ts";
import { openRedis, whenReady } from "../../lib/redis/client.ts";
import type { Violation } from "./checks/violation.ts";
import { readPlaces } from "./rows.ts";
import type { World } from "./test-bed.ts";

const LOOK_EVERY_MS = 200;

export type Backlog = { waiting: number; ready: number; unacknowledged: number; dead: number };

/**
 * I7: waits until everything is booked. Returns the seconds it took, and what was left after
 * `withinMs`.
 */
export async function untilQuiet(
  world: World,
  events: readonly string[],
  withinMs: number,
): Promise<{ seconds: number; violations: Violation[] }> {
  const beganMs = performance.now();
  let last = "nothing could be seen";
  while (performance.now() - beganMs < withinMs) {
    try {
      const backlog = await readBacklog(world, events);
      if (Object.values(backlog).every((count) => count === 0))
        return { seconds: (performance.now() - beganMs) / 1_000, violations: [] };
      last = JSON.stringify(backlog);
    } catch (error) {
      last = String(error);
    }
    await delay(LOOK_EVERY_MS);
  }
  return {
    seconds: withinMs / 1_000,
    violations: [
      {
        invariant: "I7",
        text: `${withinMs / 1_000} s after the end there is still something to do: ${last}`,
      },
    ],
  };
}

/** Reads pending rows in PostgreSQL and both queues in RabbitMQ. Rejects if one does not answer. */
export async function readBacklog(
  { database, urls, servers }: World,
  events: readonly string[],
): Promise<Backlog> {
  const places = await readPlaces(database, events);
  const waiting = places.reduce((sum, place) => sum + place.waiting, 0);
  const model = await connect(urls.AMQP_URL, { timeout: 2_000 });
  try {
    const channel = await model.createChannel();
    const ready = (await channel.checkQueue(TRANSACTION_QUEUE)).messageCount;
    const dead = (await channel.checkQueue(`${TRANSACTION_QUEUE}.dead`)).messageCount;
    return {
      waiting,
      ready,
      dead,
      unacknowledged: await readUnacknowledged(servers.prometheusUrl ?? ""),
    };
  } finally {
    await model.close();
  }
}

/** A passive declare does not count delivered messages; RabbitMQ's metrics do. */
async function readUnacknowledged(prometheusUrl: string): Promise<number> {
  const page = await fetch(`${prometheusUrl}/detailed?family=queue_coarse_metrics`, {
    signal: AbortSignal.timeout(2_000),
  });
  const line = (await page.text())
    .split("\n")
    .find((text) =>
      /^rabbitmq_detailed_queue_messages_unacked\{.*queue="ticket-transactions"\}/.test(text),
    );
  if (line === undefined) throw new Error("RabbitMQ's metrics do not show the queue");
  return Number(line.slice(line.lastIndexOf(" ")));
}

/**
 * Reads the availability that a reader of Redis would trust. Undefined for an event without such a
 * copy. Rejects if Redis is down.
 */
export async function readAvailableCopies(
  world: World,
  events: readonly string[],
): Promise<Map<string, number | undefined>> {
  const redis = openRedis(world.urls.REDIS_URL, () => undefined);
  try {
    if (!(await whenReady(redis, 5_000))) throw new Error("Redis does not answer");
    const texts = await redis.mget(events.map(availableKey));
    return new Map(
      events.map((event, index) => [event, readAvailable(texts[index], redis.runId() ?? "")]),
    );
  } finally {
    redis.disconnect();
  }
}
