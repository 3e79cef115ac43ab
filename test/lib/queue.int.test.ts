import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Delivery, openConsumer, openPublisher, readMessage } from "../../lib/queue/index.ts";
import { openTcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";
import { acceptAll, amqpUrl, QueueFixture, silent } from "./queue-fixture.ts";

describe("the queue between the workers and the ledger", () => {
  let queues: QueueFixture;
  before(async () => {
    queues = await QueueFixture.open();
  });
  after(() => queues.close());

  it("confirms what it publishes and delivers it unchanged", async () => {
    const topology = queues.freshTopology();
    const publisher = await openPublisher({ url: amqpUrl, log: silent, topology });
    await waitFor(() => publisher.connected());
    const eventId = randomUUID();
    for (let batch = 0; batch < 50; batch += 1) {
      publisher.publish({ eventId, epoch: 7, batch });
      await new Promise(setImmediate);
    }
    await waitFor(() => publisher.counts().confirmed === 50);

    const seen: Delivery[] = [];
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log: silent,
      topology,
      handler: acceptAll(seen),
    });
    await waitFor(() => seen.length === 50);
    assert.deepEqual(seen[49]?.message, { eventId, epoch: 7, batch: 49 });
    await consumer.close();
    await publisher.close();
    assert.deepEqual(await queues.counts(topology), { ready: 0, consumers: 0, dead: 0 });
  });

  it("passes several messages to one call of the handler", async () => {
    const topology = queues.freshTopology();
    const publisher = await openPublisher({ url: amqpUrl, log: silent, topology });
    await waitFor(() => publisher.connected());
    for (let index = 0; index < 120; index += 1) {
      publisher.publish({ eventId: randomUUID() });
      await new Promise(setImmediate);
    }
    await waitFor(() => publisher.counts().confirmed === 120);
    const sizes: number[] = [];
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log: silent,
      topology,
      batchMax: 50,
      handler: async (deliveries) => {
        sizes.push(deliveries.length);
        return [];
      },
    });
    await waitFor(() => sizes.reduce((sum, size) => sum + size, 0) === 120);
    assert.ok(Math.max(...sizes) <= 50, `no call exceeds batchMax: ${sizes.join()}`);
    assert.ok(sizes.length <= 6, `calls carry many messages each: ${sizes.join()}`);
    await consumer.close();
    await publisher.close();
  });

  it("reconnects by itself when its connection is cut, publisher and consumer alike", async () => {
    const topology = queues.freshTopology();
    const proxy = await openTcpProxy(amqpUrl);
    const seen: Delivery[] = [];
    const publisher = await openPublisher({ url: proxy.url, log: silent, topology });
    const consumer = await openConsumer({
      read: readMessage,
      url: proxy.url,
      log: silent,
      topology,
      handler: acceptAll(seen),
    });
    await waitFor(() => publisher.connected() && consumer.connected());
    proxy.cut();
    await waitFor(() => !publisher.connected() && !consumer.connected());
    await waitFor(() => publisher.connected() && consumer.connected());
    publisher.publish({ eventId: randomUUID() });
    await waitFor(() => seen.length === 1);
    await consumer.close();
    await publisher.close();
    await proxy.close();
  });

  it("drops and counts what it cannot send, and never throws, while RabbitMQ is down", async () => {
    const topology = queues.freshTopology();
    const proxy = await openTcpProxy(amqpUrl);
    proxy.away(true);
    const publisher = await openPublisher({ url: proxy.url, log: silent, topology });
    publisher.publish({ eventId: randomUUID() });
    assert.equal(publisher.counts().dropped, 1);
    proxy.away(false);
    await waitFor(() => publisher.connected());
    publisher.publish({ eventId: randomUUID() });
    await waitFor(() => publisher.counts().confirmed === 1);
    await publisher.close();
    await proxy.close();
  });

  it("buffers at most eight megabytes for a RabbitMQ that has stopped reading", async () => {
    const topology = queues.freshTopology();
    const proxy = await openTcpProxy(amqpUrl);
    const publisher = await openPublisher({ url: proxy.url, log: silent, topology });
    await waitFor(() => publisher.connected());
    proxy.freeze(true);
    const epoch = Date.now();
    for (let batch = 0; batch < 120_000; batch += 1)
      publisher.publish({ eventId: randomUUID(), epoch, batch });
    await new Promise(setImmediate);
    const { unconfirmed, dropped } = publisher.counts();
    assert.equal(20 * unconfirmed + dropped, 120_000);
    assert.ok(
      unconfirmed > 3_000 && unconfirmed < 4_500,
      `${unconfirmed} messages of some 2 kB are buffered`,
    );
    proxy.freeze(false);
    await waitFor(() => publisher.counts().unconfirmed === 0);
    await publisher.close();
    await proxy.close();
  });

  it("declares a deleted queue again", async () => {
    const topology = queues.freshTopology();
    const seen: Delivery[] = [];
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log: silent,
      topology,
      handler: acceptAll(seen),
    });
    await waitFor(() => consumer.connected());
    await queues.channel.deleteQueue(topology.queue);
    await waitFor(() => !consumer.connected());
    await waitFor(() => consumer.connected());
    queues.send(topology);
    await waitFor(() => seen.length === 1);
    await consumer.close();
  });
});
