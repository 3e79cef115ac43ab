import type { ConfirmChannel } from "amqplib";
import { type Log, openQueueConnection, withinMs } from "./connection.ts";
import {
  declareTopology,
  type EventTransactions,
  type Topology,
  type TransactionMessage,
  topologyOf,
} from "./topology.ts";

/** Messages sent and not yet confirmed may hold this much memory; a batch of 500 sales is 65 kB. */
const UNCONFIRMED_BYTES_MAX = 8 * 1024 * 1024;
const CLOSE_CONFIRM_MS = 2_000;
/** A batch of fewer transactions waits for the end of the turn, to share a message with those of other events. */
const SMALL = 10;
/** Events in one message, which come back together where one of them cannot be booked. */
const EVENTS_MAX = 20;
const PLAIN = { persistent: true, contentType: "application/json" };

export type PublisherCounts = {
  confirmed: number;
  dropped: number;
  failed: number;
  unconfirmed: number;
};

export type Publisher = {
  /**
   * Tells the ledger that these transactions (hex ids) of the event are committed; small batches of one turn of the event loop share a message. Never
   * throws and never waits: when RabbitMQ is away, blocked by an alarm or behind by more than eight megabytes, what was to be told is dropped and
   * counted. The pending rows are the outbox; the sweeper repeats. `traceparent` (W3C) travels as a header, with a message of its own.
   */
  publish(eventId: string, transactionIds: readonly string[], traceparent?: string): void;
  /** Messages; `dropped` (batches) were never sent; `failed` were refused by RabbitMQ or their connection ended before the confirm. */
  counts(): PublisherCounts;
  connected(): boolean;
  /** Gives what is unconfirmed two seconds, then closes. */
  close(): Promise<void>;
};

export async function openPublisher(options: {
  url: string;
  log: Log;
  topology?: Topology;
}): Promise<Publisher> {
  const topology = options.topology ?? topologyOf();
  const counts: PublisherCounts = { confirmed: 0, dropped: 0, failed: 0, unconfirmed: 0 };
  let channel: ConfirmChannel | undefined;
  let blocked = false;
  let unconfirmedBytes = 0;

  const connection = await openQueueConnection({
    url: options.url,
    log: options.log,
    async setup(model) {
      const fresh = await model.createConfirmChannel();
      fresh.on("error", (error) =>
        options.log.warn(`RabbitMQ closed the publisher's channel: ${error.message}`),
      );
      fresh.on("close", () => {
        // A channel that ends alone takes its connection with it, so that there is one way back: recovery.
        if (channel === fresh) connection.breakOff();
        channel = undefined;
      });
      await declareTopology(fresh, topology);
      channel = fresh;
      blocked = false;
    },
    onLost: () => (channel = undefined),
    onBlocked() {
      blocked = true;
      options.log.warn(
        "RabbitMQ blocks publishers (an alarm of memory or disk): messages are left to the sweeper",
      );
    },
    onUnblocked() {
      blocked = false;
      options.log.info("RabbitMQ takes messages again");
    },
  });

  // Not by createBatcher(), which makes a promise for each: nobody waits for an answer here.
  let small: EventTransactions[] = [];
  const sendSmall = (): void => {
    const told = small;
    small = [];
    for (let start = 0; start < told.length; start += EVENTS_MAX)
      send(told.slice(start, start + EVENTS_MAX));
  };
  const publish: Publisher["publish"] = (eventId, transactionIds, traceparent) => {
    const told = { eventId, transactionIds: transactionIds as string[] };
    if (traceparent !== undefined || transactionIds.length >= SMALL || channel === undefined) {
      send([told], traceparent);
      return;
    }
    if (small.length === 0) setImmediate(sendSmall);
    small.push(told);
  };
  const send = ([first, ...more]: readonly EventTransactions[], traceparent?: string): void => {
    if (first === undefined) return;
    if (channel === undefined || blocked || unconfirmedBytes >= UNCONFIRMED_BYTES_MAX) {
      counts.dropped += 1 + more.length;
      return;
    }
    const message: TransactionMessage = more.length === 0 ? first : { ...first, more };
    const content = Buffer.from(JSON.stringify(message));
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
      // The channel closed under our hands; its close event has not reached us yet.
      settle(error);
    }
  };

  return {
    publish,
    counts: () => ({ ...counts }),
    connected: () => channel !== undefined,
    async close() {
      sendSmall();
      if (channel !== undefined && !blocked)
        await withinMs(channel.waitForConfirms(), CLOSE_CONFIRM_MS);
      channel = undefined;
      await connection.close();
    },
  };
}
