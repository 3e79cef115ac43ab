import type { Channel, ConsumeMessage } from "amqplib";
import { setTimeout as wait } from "node:timers/promises";
import { type Log, openQueueConnection, closeWithin } from "./connection.ts";
import {
  declareTopology,
  inspectTopology,
  type Topology,
  type TransactionMessage,
  topologyOf,
} from "./topology.ts";

/**
 * `last`: the delivery limit is reached, so a rejected message becomes a dead letter.
 * `traceparent`: the trace of its publisher.
 */
export type Delivery<Message = TransactionMessage> = {
  message: Message;
  last: boolean;
  traceparent?: string;
};

/**
 * Handles a batch. Returns the rejected messages: they are delivered again, which counts towards
 * the delivery limit. The others are acknowledged. If it throws, all of them count.
 *
 * A fault that no message caused (a server is down) must be waited for inside the handler, with the
 * consumer paused: every other way back into a quorum queue counts as a delivery.
 */
export type Handler<Message = TransactionMessage> = (
  deliveries: readonly Delivery<Message>[],
  turn: Turn,
) => Promise<readonly Delivery<Message>[]>;

/** What a handler may do while it works. `signal` is aborted when the service stops waiting. */
export type Turn = Pick<Consumer, "pause" | "resume"> & { signal: AbortSignal };

export type Consumer = {
  /** Cancels the consumer. Delivered messages stay unacknowledged in memory. */
  pause(): void;
  resume(): void;
  paused(): boolean;
  /** Stops for good. Delivered messages are still handled. */
  leave(): void;
  connected(): boolean;
  /** Undefined while RabbitMQ is down. */
  inspect(): Promise<{ ready: number; consumers: number; dead: number } | undefined>;
  /** Stops, waits up to 5 s for delivered messages, and closes. */
  close(): Promise<void>;
};

export type ConsumerOptions<Message> = {
  url: string;
  ca?: string | undefined;
  log: Log;
  handler: Handler<Message>;
  /** Parses a message. Undefined: it cannot be read. */
  read: (content: Buffer) => Message | undefined;
  topology?: Topology;
  /** Messages per call of the handler. As many again may wait in memory. */
  batchMax?: number;
  /** Time that the first message of a batch waits for more. */
  lingerMs?: number;
};

type Held<Message> = Delivery<Message> & { session: Session; tag: number };
type Session = { channel: Channel; consumerTag?: string | undefined };

const CLOSE_MS = 5_000;
const CHANNEL_CLOSE_MS = 1_000;
const RETRY_MS = 200;

export async function openConsumer<Message>(options: ConsumerOptions<Message>): Promise<Consumer> {
  const { log, handler, read, topology = topologyOf(), batchMax = 100, lingerMs = 50 } = options;
  const stopping = new AbortController();
  let session: Session | undefined;
  let wanted = true;
  let closing = false;
  let held: Held<Message>[] = [];
  let pumping: Promise<void> | undefined;
  let alignment: Promise<void> = Promise.resolve();
  const turn: Turn = { pause, resume, signal: stopping.signal };

  const connection = await openQueueConnection({
    url: options.url,
    ca: options.ca,
    log,
    async setup(model) {
      const channel = await model.createChannel();
      const fresh: Session = { channel };
      channel.on("error", (error) =>
        log.warn(`RabbitMQ closed the consumer's channel: ${error.message}`),
      );
      channel.on("close", () => {
        if (session === fresh) connection.breakOff();
        forget(fresh);
      });
      await declareTopology(channel, topology);
      await channel.prefetch(batchMax * 2);
      if (wanted) await consume(fresh);
      session = fresh;
      align();
    },
    onLost() {
      if (session !== undefined) forget(session);
    },
  });

  /**
   * RabbitMQ delivers the messages of an ended channel again. A batch in progress continues, and
   * its acknowledgements are dropped.
   */
  function forget(ended: Session): void {
    held = held.filter((delivery) => delivery.session !== ended);
    if (session === ended) session = undefined;
  }

  async function consume(on: Session): Promise<void> {
    const { consumerTag } = await on.channel.consume(topology.queue, (raw) => {
      if (raw === null) {
        // The server cancelled the consumer (the queue was deleted or moved). Reconnect, which
        // declares the queue again.
        on.consumerTag = undefined;
        connection.breakOff();
        return;
      }
      receive(on, raw);
    });
    on.consumerTag = consumerTag;
  }

  /**
   * Starts or cancels the consumer as wanted, one step at a time. Recovery handles a channel that
   * fails meanwhile.
   */
  function align(): void {
    alignment = alignment
      .then(async () => {
        const on = session;
        if (on === undefined) return;
        if (wanted && on.consumerTag === undefined) await consume(on);
        if (!wanted && on.consumerTag !== undefined) {
          await on.channel.cancel(on.consumerTag);
          on.consumerTag = undefined;
        }
      })
      .catch(() => undefined);
  }

  function receive(on: Session, raw: ConsumeMessage): void {
    const tag = raw.fields.deliveryTag;
    const message = read(raw.content);
    const { headers } = raw.properties;
    const last = Number(headers?.["x-delivery-count"] ?? 0) >= topology.deliveryLimit;
    const traceparent: unknown = headers?.traceparent;
    if (message === undefined) {
      if (last)
        log.error(
          `A message of ${raw.content.length} bytes in ${topology.queue} cannot be read; ` +
            "it is now a dead letter",
        );
      settle(() => on.channel.nack(raw, false, true));
      return;
    }
    held.push({
      message,
      last,
      session: on,
      tag,
      ...(typeof traceparent === "string" && { traceparent }),
    });
    pumping ??= pump().finally(() => (pumping = undefined));
  }

  async function pump(): Promise<void> {
    while (held.length > 0) {
      if (held.length < batchMax && lingerMs > 0) await wait(lingerMs);
      const batch = held.splice(0, batchMax);
      if (batch.length > 0) await work(batch);
    }
  }

  async function work(batch: Held<Message>[]): Promise<void> {
    let refused: ReadonlySet<Delivery<Message>>;
    try {
      refused = new Set(await handler(batch, turn));
    } catch (error) {
      if (stopping.signal.aborted) return;
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error(`${batch.length} messages of ${topology.queue} could not be handled: ${reason}`);
      await wait(RETRY_MS);
      refused = new Set(batch);
    }
    // Delivery tags of a channel are ordered, so one acknowledgement settles all messages before it
    // that were not rejected.
    for (const delivery of batch) {
      if (refused.has(delivery))
        settle(() => delivery.session.channel.nack(asMessage(delivery.tag), false, true));
    }
    const accepted = batch.findLast((delivery) => !refused.has(delivery));
    if (accepted !== undefined)
      settle(() => accepted.session.channel.ack(asMessage(accepted.tag), true));
  }

  function pause(): void {
    wanted = false;
    align();
  }

  function resume(): void {
    if (closing) return;
    wanted = true;
    align();
  }

  return {
    pause,
    resume,
    paused: () => !wanted,
    leave() {
      closing = true;
      wanted = false;
      align();
    },
    connected: () => session !== undefined,
    async inspect() {
      const on = session;
      if (on === undefined) return undefined;
      return inspectTopology(on.channel, topology).catch(() => undefined);
    },
    async close() {
      closing = true;
      // Do not wait for a handler that waits for a server.
      if (!wanted) stopping.abort();
      wanted = false;
      align();
      await closeWithin(
        alignment.then(() => pumping),
        CLOSE_MS,
      );
      stopping.abort();
      const last = session;
      session = undefined;
      // Close the channel first: amqplib may send the connection's close before acknowledgements
      // that other channels have queued.
      if (last !== undefined) await closeWithin(last.channel.close(), CHANNEL_CLOSE_MS);
      await connection.close();
    },
  };
}

/**
 * Ignores the error of an ended channel. Its messages are delivered again, and applying them again
 * changes nothing.
 */
function settle(tell: () => void): void {
  try {
    tell();
  } catch {
    // As above.
  }
}

/** Makes a message for amqplib, which reads only the tag. The content can be freed. */
function asMessage(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}
