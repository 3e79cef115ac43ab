import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Delivery, openConsumer, readMessage } from "../../lib/queue/index.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  acceptAll,
  amqpUrl,
  DELIVERY_LIMIT,
  messageOf,
  QueueFixture,
  silent,
} from "./queue-fixture.ts";

describe("the consumer of the queue", () => {
  let queues: QueueFixture;
  before(async () => {
    queues = await QueueFixture.open();
  });
  after(() => queues.close());

  it("puts an unreadable message aside after the limit, while others flow", async () => {
    const topology = queues.freshTopology();
    const seen: Delivery[] = [];
    const errors: string[] = [];
    const log = { ...silent, error: (message: string) => void errors.push(message) };
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log,
      topology,
      handler: acceptAll(seen),
    });
    await waitFor(() => consumer.connected());
    const eventId = randomUUID();
    for (const poison of [
      "not json",
      "[]",
      "{}",
      JSON.stringify({ eventId: "x", transactionIds: [] }),
      JSON.stringify({ eventId, epoch: "7", batch: 1 }),
      JSON.stringify({
        eventId,
        transactionIds: [],
        more: [
          { eventId, transactionIds: [] },
          { eventId: "x", transactionIds: [] },
        ],
      }),
    ])
      queues.send(topology, poison);
    queues.send(topology, messageOf(eventId, ["ab"]));
    await waitFor(() => seen.length === 1);
    await waitFor(async () => (await queues.counts(topology)).dead === 6);
    assert.equal(errors.length, 6, errors.join("\n"));
    assert.equal(seen.length, 1);
    await consumer.close();
  });

  it("delivers a refused message again, marks the last delivery, then puts it aside", async () => {
    const topology = queues.freshTopology();
    const [good, bad] = [randomUUID(), randomUUID()];
    const seen: { eventId: string; last: boolean }[] = [];
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log: silent,
      topology,
      handler: async (deliveries) => {
        seen.push(...deliveries.map(({ message, last }) => ({ eventId: message.eventId, last })));
        return deliveries.filter(({ message }) => message.eventId === bad);
      },
    });
    await waitFor(() => consumer.connected());
    for (const eventId of [good, bad, good]) queues.send(topology, messageOf(eventId));
    await waitFor(async () => (await queues.counts(topology)).dead === 1);
    assert.equal(seen.filter(({ eventId }) => eventId === good).length, 2);
    assert.deepEqual(
      seen.filter(({ eventId }) => eventId === bad).map(({ last }) => last),
      [false, false, false, true],
    );
    await consumer.close();
  });

  it("retries a handler that throws, up to the limit", async () => {
    const topology = queues.freshTopology();
    let calls = 0;
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log: silent,
      topology,
      handler: async () => {
        calls += 1;
        throw new Error("a mistake in the handler");
      },
    });
    await waitFor(() => consumer.connected());
    queues.send(topology);
    await waitFor(async () => (await queues.counts(topology)).dead === 1);
    assert.equal(calls, DELIVERY_LIMIT + 1);
    await consumer.close();
  });

  it("takes nothing while paused, counts no delivery, and continues when resumed", async () => {
    const topology = queues.freshTopology();
    const seen: Delivery[] = [];
    let release: (() => void) | undefined;
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log: silent,
      topology,
      handler: async (deliveries, turn) => {
        seen.push(...deliveries);
        if (seen.length > 1) return [];
        turn.pause();
        await new Promise<void>((resolve) => (release = resolve));
        turn.resume();
        return [];
      },
    });
    await waitFor(() => consumer.connected());
    queues.send(topology);
    await waitFor(() => release !== undefined);
    // Runs on the consumer's channel, so RabbitMQ answers it after the cancellation.
    // (RabbitMQ counts a cancelled consumer until its messages are settled.)
    await consumer.inspect();
    queues.send(topology);
    await waitFor(async () => (await queues.counts(topology)).ready === 1);
    assert.equal(seen.length, 1);
    release?.();
    await waitFor(() => seen.length === 2);
    assert.ok(seen.every(({ last }) => !last));
    await consumer.close();
    assert.deepEqual(await queues.counts(topology), { ready: 0, consumers: 0, dead: 0 });
  });

  it("finishes and acknowledges the running call before it closes", async () => {
    const topology = queues.freshTopology();
    // Repeated, since amqplib may reorder frames that are queued on a connection.
    for (let round = 0; round < 5; round += 1) {
      let finish: (() => void) | undefined;
      const consumer = await openConsumer({
        read: readMessage,
        url: amqpUrl,
        log: silent,
        topology,
        handler: async () => {
          await new Promise<void>((resolve) => (finish = resolve));
          return [];
        },
      });
      await waitFor(() => consumer.connected());
      queues.send(topology);
      await waitFor(() => finish !== undefined);
      const closed = consumer.close();
      await consumer.inspect();
      queues.send(topology);
      await waitFor(async () => (await queues.counts(topology)).ready === 1);
      finish?.();
      await closed;
      assert.equal(
        (await queues.counts(topology)).ready,
        1,
        "only the message after the cancellation remains",
      );
      await queues.channel.purgeQueue(topology.queue);
    }
  });
});
