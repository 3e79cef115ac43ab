import type { Channel } from "amqplib";

export const TRANSACTION_QUEUE = "ticket-transactions";

/** Deliveries of one message before it is put aside: the first, and this many more. RabbitMQ 4 has the same number as its default. */
export const DELIVERY_LIMIT = 20;

export type Topology = { queue: string; deadQueue: string; deliveryLimit: number };

/** What the queue is, as data. Tests give their own name and limit. */
export function topologyOf(queue: string = TRANSACTION_QUEUE, deliveryLimit: number = DELIVERY_LIMIT): Topology {
  return { queue, deadQueue: `${queue}.dead`, deliveryLimit };
}

/**
 * Declares both queues, as publisher and consumer do at each connection, so that either may come first.
 * Quorum queues outlive a node; at-least-once dead-lettering (which RabbitMQ allows only with reject-publish) loses no message on its way to the dead letters.
 */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  await channel.assertQueue(topology.deadQueue, { durable: true, arguments: { "x-queue-type": "quorum" } });
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

/** Passive declares: messages that wait (delivered and unacknowledged ones are not counted), and dead letters. */
export async function inspectTopology(channel: Channel, topology: Topology): Promise<{ ready: number; consumers: number; dead: number }> {
  const queue = await channel.checkQueue(topology.queue);
  const dead = await channel.checkQueue(topology.deadQueue);
  return { ready: queue.messageCount, consumers: queue.consumerCount, dead: dead.messageCount };
}

/** What travels: one message per committed batch. Ids are hex; a sweeper's message carries none. */
export type TransactionMessage = { eventId: string; transactionIds: string[] };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TRANSACTION_ID = /^(?:[0-9a-f]{2}){1,64}$/;

/** The message, or undefined when it cannot be read: not JSON, not of this shape. Members it does not know are ignored. */
export function readMessage(content: Buffer): TransactionMessage | undefined {
  let body: unknown;
  try {
    body = JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof body !== "object" || body === null) return undefined;
  const { eventId, transactionIds } = body as { eventId?: unknown; transactionIds?: unknown };
  if (typeof eventId !== "string" || !UUID.test(eventId) || !Array.isArray(transactionIds)) return undefined;
  if (!transactionIds.every((id): id is string => typeof id === "string" && TRANSACTION_ID.test(id))) return undefined;
  return { eventId, transactionIds };
}
