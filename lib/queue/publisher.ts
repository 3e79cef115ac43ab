import type { ConfirmChannel } from "amqplib";
import { Troubles } from "../observability/troubles.ts";
import { type Log, openQueueConnection, closeWithin } from "./connection.ts";
import {
  declareTopology,
  encodeMessage,
  type EventBatch,
  type Topology,
  topologyOf,
} from "./topology.ts";

/** Limit of unconfirmed messages in memory. A batch has some 130 bytes. */
const UNCONFIRMED_BYTES_MAX = 8 * 1024 * 1024;
const CLOSE_CONFIRM_MS = 2_000;
/** Batches per message. A message is redelivered as a whole if one event cannot be booked. */
const BATCHES_MAX = 20;
const PLAIN = { persistent: true, contentType: "application/json" };

export type PublisherCounts = {
  confirmed: number;
  dropped: number;
  failed: number;
  unconfirmed: number;
};

export type Publisher = {
  /**
   * Publishes a committed batch. Batches of one turn of the event loop share a message.
   *
   * Never throws and never waits. If RabbitMQ is down, blocked by an alarm or has more than eight
   * megabytes unconfirmed, the batch is dropped and counted: the pending rows are the outbox, and
   * the sweeper publishes again. A `traceparent` (W3C) travels as a header, with a message of its
   * own.
   */
  publish(batch: EventBatch, traceparent?: string): void;
  /** Publishes any content as one message, which counts as `items`. Drops it as above. */
  send(content: Buffer, items: number, traceparent?: string): void;
  /**
   * Counts messages. `dropped` batches were never sent. `failed` messages were refused, or their
   * connection ended before the confirm.
   */
  counts(): PublisherCounts;
  connected(): boolean;
  /** Waits up to 2 s for confirms, then closes. */
  close(): Promise<void>;
};

export async function openPublisher(options: {
  url: string;
  ca?: string | undefined;
  log: Log;
  topology?: Topology;
  /** The node's: one alarm blocks the publishers of all its services. */
  troubles?: Troubles;
}): Promise<Publisher> {
  const { troubles = new Troubles(options.log) } = options;
  const topology = options.topology ?? topologyOf();
  const counts: PublisherCounts = { confirmed: 0, dropped: 0, failed: 0, unconfirmed: 0 };
  let channel: ConfirmChannel | undefined;
  let blocked = false;
  let unconfirmedBytes = 0;

  const connection = await openQueueConnection({
    url: options.url,
    ca: options.ca,
    log: options.log,
    async setup(model) {
      const fresh = await model.createConfirmChannel();
      fresh.on("error", (error) =>
        options.log.warn(`RabbitMQ closed the publisher's channel: ${error.message}`),
      );
      fresh.on("close", () => {
        // A channel that ends alone closes its connection, so that recovery is the only way back.
        if (channel === fresh) connection.breakOff();
        channel = undefined;
      });
      await declareTopology(fresh, topology);
      channel = fresh;
      blocked = false;
    },
    onLost() {
      channel = undefined;
      troubles.end("queue", counts, true);
    },
    onBlocked(reason) {
      blocked = true;
      troubles.begin("queue", counts, reason);
    },
    onUnblocked() {
      blocked = false;
      troubles.end("queue", counts);
    },
  });

  // Not by createBatcher(), which creates a promise per item: no caller waits for an answer here.
  let waiting: EventBatch[] = [];
  const sendWaiting = (): void => {
    const batches = waiting;
    waiting = [];
    for (let start = 0; start < batches.length; start += BATCHES_MAX)
      sendBatches(batches.slice(start, start + BATCHES_MAX));
  };
  const publish: Publisher["publish"] = (batch, traceparent) => {
    if (traceparent !== undefined || channel === undefined) {
      sendBatches([batch], traceparent);
      return;
    }
    if (waiting.length === 0) setImmediate(sendWaiting);
    waiting.push(batch);
  };
  const sendBatches = ([first, ...more]: readonly EventBatch[], traceparent?: string): void => {
    if (first === undefined) return;
    if (isClosed()) counts.dropped += 1 + more.length;
    else send(encodeMessage([first, ...more]), 1 + more.length, traceparent);
  };
  const isClosed = (): boolean =>
    channel === undefined || blocked || unconfirmedBytes >= UNCONFIRMED_BYTES_MAX;
  const send: Publisher["send"] = (content, items, traceparent) => {
    if (channel === undefined || isClosed()) {
      counts.dropped += items;
      return;
    }
    const settle = (error: unknown): void => {
      counts.unconfirmed -= 1;
      unconfirmedBytes -= content.length;
      if (error === null) counts.confirmed += 1;
      else counts.failed += 1;
    };
    counts.unconfirmed += 1;
    unconfirmedBytes += content.length;
    try {
      channel.publish(
        "",
        topology.queue,
        content,
        traceparent === undefined ? PLAIN : { ...PLAIN, headers: { traceparent } },
        settle,
      );
    } catch (error) {
      // The channel is closed already, but its close event has not arrived yet.
      settle(error);
    }
  };

  return {
    publish,
    send,
    counts: () => ({ ...counts }),
    connected: () => channel !== undefined,
    async close() {
      sendWaiting();
      if (channel !== undefined && !blocked)
        await closeWithin(channel.waitForConfirms(), CLOSE_CONFIRM_MS);
      channel = undefined;
      await connection.close();
    },
  };
}
