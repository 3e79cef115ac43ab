import type { Channel } from "amqplib";
import { UUID } from "../../domain/uuid.ts";

export const TRANSACTION_QUEUE = "ticket-transactions";

/** Redeliveries of one message before it becomes a dead letter. The default of RabbitMQ 4. */
export const DELIVERY_LIMIT = 20;

export type Topology = { queue: string; deadQueue: string; deliveryLimit: number };

/** Describes the queues. Tests pass their own name and limit. */
export function topologyOf(
  queue: string = TRANSACTION_QUEUE,
  deliveryLimit: number = DELIVERY_LIMIT,
): Topology {
  return { queue, deadQueue: `${queue}.dead`, deliveryLimit };
}

/**
 * Declares both queues, as publisher and consumer do at each connection, in any order.
 *
 * Quorum queues survive the loss of a node. At-least-once dead-lettering (which RabbitMQ allows
 * only with reject-publish) loses no message on its way to the dead letters.
 */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  await channel.assertQueue(topology.deadQueue, {
    durable: true,
    arguments: { "x-queue-type": "quorum" },
  });
  await channel.assertQueue(topology.queue, {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-delivery-limit": topology.deliveryLimit,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": topology.deadQueue,
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    },
  });
}

/**
 * Reads by passive declares the waiting messages (without delivered, unacknowledged ones) and the
 * dead letters.
 */
export async function inspectTopology(
  channel: Channel,
  topology: Topology,
): Promise<{ ready: number; consumers: number; dead: number }> {
  const queue = await channel.checkQueue(topology.queue);
  const dead = await channel.checkQueue(topology.deadQueue);
  return { ready: queue.messageCount, consumers: queue.consumerCount, dead: dead.messageCount };
}

/**
 * A committed batch of an event. The sweeper names no batch: the ledger books all that is pending
 * of the event.
 */
export type EventBatch = { eventId: string; epoch?: number; batch?: number };
/** The message on the wire. `more`: other batches of the same moment. */
export type TransactionMessage = EventBatch & { more?: EventBatch[] };

/** Lists the events that a message names. */
export function eventIdsOf({ eventId, more = [] }: TransactionMessage): string[] {
  return [eventId, ...more.map((other) => other.eventId)];
}

/** Encodes a message. A ledger of an earlier release requires lists of transaction ids. */
export function encodeMessage([first, ...more]: readonly [EventBatch, ...EventBatch[]]): Buffer {
  const named = (batch: EventBatch) => ({ ...batch, transactionIds: [] });
  const message = more.length === 0 ? named(first) : { ...named(first), more: more.map(named) };
  return Buffer.from(JSON.stringify(message));
}

/**
 * Parses a message. Undefined if it is not JSON or has another shape. Unknown members are ignored.
 */
export function readMessage(content: Buffer): TransactionMessage | undefined {
  let body: unknown;
  try {
    body = JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
  const first = readEvent(body);
  if (first === undefined) return undefined;
  const { more } = body as { more?: unknown };
  if (more === undefined) return first;
  const others = Array.isArray(more) ? more.flatMap((other) => readEvent(other) ?? []) : [];
  return Array.isArray(more) && others.length === more.length
    ? { ...first, more: others }
    : undefined;
}

function readEvent(told: unknown): EventBatch | undefined {
  if (typeof told !== "object" || told === null) return undefined;
  const { eventId, epoch, batch } = told as Record<string, unknown>;
  if (typeof eventId !== "string" || !UUID.test(eventId)) return undefined;
  if (epoch === undefined && batch === undefined) return { eventId };
  return typeof epoch === "number" && typeof batch === "number"
    ? { eventId, epoch, batch }
    : undefined;
}
