import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { connect, type Channel, type ChannelModel } from "amqplib";
import { processEnvironment } from "../../config/index.ts";
import {
  type Delivery,
  type Handler,
  openConsumer,
  openPublisher,
  topologyOf,
} from "../../lib/queue/index.ts";
import { inspectTopology } from "../../lib/queue/topology.ts";
import { openTcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";

const amqpUrl = processEnvironment().AMQP_URL ?? assert.fail("AMQP_URL names no RabbitMQ");
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const DELIVERY_LIMIT = 3;

describe("the queue between the workers and the ledger", () => {
  const topologies: ReturnType<typeof topologyOf>[] = [];
  let model: ChannelModel;
  let channel: Channel;

  before(async () => {
    model = await connect(amqpUrl);
    channel = await model.createChannel();
  });
  after(async () => {
    for (const { queue, deadQueue } of topologies) {
      await channel.deleteQueue(queue);
      await channel.deleteQueue(deadQueue);
    }
    await model.close();
  });

  const freshTopology = (): ReturnType<typeof topologyOf> => {
    const topology = topologyOf(`test-${randomUUID()}`, DELIVERY_LIMIT);
    topologies.push(topology);
    return topology;
  };
  const acceptAll =
    (into: Delivery[]): Handler =>
    async (deliveries) => {
      into.push(...deliveries);
      return [];
    };

  it("confirms what it publishes and delivers it as it was sent", async () => {
    const topology = freshTopology();
    const publisher = await openPublisher({ url: amqpUrl, log: silent, topology });
    await waitFor(() => publisher.connected());
    const eventId = randomUUID();
    const ids = (index: number): string[] => [
      "ab".repeat(64),
      index.toString(16).padStart(4, "0"),
      ...Array<string>(8).fill("cd"),
    ];
    for (let index = 0; index < 50; index += 1) publisher.publish(eventId, ids(index));
    await waitFor(() => publisher.counts().confirmed === 50);

    const seen: Delivery[] = [];
    const consumer = await openConsumer({
      url: amqpUrl,
      log: silent,
      topology,
      handler: acceptAll(seen),
    });
    await waitFor(() => seen.length === 50);
    assert.deepEqual(seen[49]?.message, { eventId, transactionIds: ids(49) });
    await consumer.close();
    await publisher.close();
    assert.deepEqual(await inspectTopology(channel, topology), { ready: 0, consumers: 0, dead: 0 });
  });

  it("hands several messages to one call", async () => {
    const topology = freshTopology();
    const publisher = await openPublisher({ url: amqpUrl, log: silent, topology });
    await waitFor(() => publisher.connected());
    for (let index = 0; index < 120; index += 1)
      publisher.publish(randomUUID(), Array<string>(10).fill("ab"));
    await waitFor(() => publisher.counts().confirmed === 120);
    const sizes: number[] = [];
    const consumer = await openConsumer({
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
    assert.ok(Math.max(...sizes) <= 50, `no call is larger than asked for: ${sizes.join()}`);
    assert.ok(sizes.length <= 6, `calls carry many messages each: ${sizes.join()}`);
    await consumer.close();
    await publisher.close();
  });

  it("comes back by itself when its connection is cut, publisher and consumer alike", async () => {
    const topology = freshTopology();
    const proxy = await openTcpProxy(amqpUrl);
    const seen: Delivery[] = [];
    const publisher = await openPublisher({ url: proxy.url, log: silent, topology });
    const consumer = await openConsumer({
      url: proxy.url,
      log: silent,
      topology,
      handler: acceptAll(seen),
    });
    await waitFor(() => publisher.connected() && consumer.connected());
    proxy.cut();
    await waitFor(() => !publisher.connected() && !consumer.connected());
    await waitFor(() => publisher.connected() && consumer.connected());
    publisher.publish(randomUUID(), []);
    await waitFor(() => seen.length === 1);
    await consumer.close();
    await publisher.close();
    await proxy.close();
  });

  it("drops and counts what it cannot send, and never throws, while RabbitMQ is away", async () => {
    const topology = freshTopology();
    const proxy = await openTcpProxy(amqpUrl);
    proxy.away(true);
    const publisher = await openPublisher({ url: proxy.url, log: silent, topology });
    publisher.publish(randomUUID(), []);
    assert.equal(publisher.counts().dropped, 1);
    proxy.away(false);
    await waitFor(() => publisher.connected());
    publisher.publish(randomUUID(), []);
    await waitFor(() => publisher.counts().confirmed === 1);
    await publisher.close();
    await proxy.close();
  });

  it("holds no more than eight megabytes for a RabbitMQ that has stopped reading", async () => {
    const topology = freshTopology();
    const proxy = await openTcpProxy(amqpUrl);
    const publisher = await openPublisher({ url: proxy.url, log: silent, topology });
    await waitFor(() => publisher.connected());
    proxy.freeze(true);
    const transactionIds = Array.from({ length: 500 }, () => "cd".repeat(64));
    for (let index = 0; index < 300; index += 1) publisher.publish(randomUUID(), transactionIds);
    const { unconfirmed, dropped } = publisher.counts();
    assert.equal(unconfirmed + dropped, 300);
    assert.ok(unconfirmed > 100 && unconfirmed < 140, `${unconfirmed} of 65 kB are held`);
    proxy.freeze(false);
    await waitFor(() => publisher.counts().unconfirmed === 0);
    await publisher.close();
    await proxy.close();
  });

  it("puts a message that cannot be read aside after the limit, while others flow", async () => {
    const topology = freshTopology();
    const seen: Delivery[] = [];
    const errors: string[] = [];
    const log = { ...silent, error: (message: string) => void errors.push(message) };
    const consumer = await openConsumer({ url: amqpUrl, log, topology, handler: acceptAll(seen) });
    await waitFor(() => consumer.connected());
    const eventId = randomUUID();
    for (const poison of [
      "not json",
      "[]",
      "{}",
      JSON.stringify({ eventId: "x", transactionIds: [] }),
      JSON.stringify({ eventId, transactionIds: ["xyz"] }),
      JSON.stringify({
        eventId,
        transactionIds: [],
        more: [
          { eventId, transactionIds: [] },
          { eventId: "x", transactionIds: [] },
        ],
      }),
    ])
      channel.sendToQueue(topology.queue, Buffer.from(poison), { persistent: true });
    channel.sendToQueue(
      topology.queue,
      Buffer.from(JSON.stringify({ eventId, transactionIds: ["ab"] })),
      { persistent: true },
    );
    await waitFor(() => seen.length === 1);
    await waitFor(async () => (await inspectTopology(channel, topology)).dead === 6);
    assert.equal(errors.length, 6, errors.join("\n"));
    assert.equal(seen.length, 1);
    await consumer.close();
  });

  it("delivers what a handler refused again, says which delivery is the last, and then puts it aside", async () => {
    const topology = freshTopology();
    const [good, bad] = [randomUUID(), randomUUID()];
    const seen: { eventId: string; last: boolean }[] = [];
    const consumer = await openConsumer({
      url: amqpUrl,
      log: silent,
      topology,
      handler: async (deliveries) => {
        seen.push(...deliveries.map(({ message, last }) => ({ eventId: message.eventId, last })));
        return deliveries.filter(({ message }) => message.eventId === bad);
      },
    });
    await waitFor(() => consumer.connected());
    for (const eventId of [good, bad, good])
      channel.sendToQueue(
        topology.queue,
        Buffer.from(JSON.stringify({ eventId, transactionIds: [] })),
      );
    await waitFor(async () => (await inspectTopology(channel, topology)).dead === 1);
    assert.equal(seen.filter(({ eventId }) => eventId === good).length, 2);
    assert.deepEqual(
      seen.filter(({ eventId }) => eventId === bad).map(({ last }) => last),
      [false, false, false, true],
    );
    await consumer.close();
  });

  it("retries a handler that throws, and not for ever", async () => {
    const topology = freshTopology();
    let calls = 0;
    const consumer = await openConsumer({
      url: amqpUrl,
      log: silent,
      topology,
      handler: async () => {
        calls += 1;
        throw new Error("a mistake in the handler");
      },
    });
    await waitFor(() => consumer.connected());
    channel.sendToQueue(
      topology.queue,
      Buffer.from(JSON.stringify({ eventId: randomUUID(), transactionIds: [] })),
    );
    await waitFor(async () => (await inspectTopology(channel, topology)).dead === 1);
    assert.equal(calls, DELIVERY_LIMIT + 1);
    await consumer.close();
  });

  it("takes nothing while paused, keeps what it has without counting a delivery, and goes on when resumed", async () => {
    const topology = freshTopology();
    const seen: Delivery[] = [];
    let release: (() => void) | undefined;
    const consumer = await openConsumer({
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
    const send = (): boolean =>
      channel.sendToQueue(
        topology.queue,
        Buffer.from(JSON.stringify({ eventId: randomUUID(), transactionIds: [] })),
      );
    send();
    await waitFor(() => release !== undefined);
    // Asked on the consumer's own channel, so answered after the cancellation. (RabbitMQ counts a cancelled consumer until its messages are settled.)
    await consumer.inspect();
    send();
    await waitFor(async () => (await inspectTopology(channel, topology)).ready === 1);
    assert.equal(seen.length, 1);
    release?.();
    await waitFor(() => seen.length === 2);
    assert.ok(seen.every(({ last }) => !last));
    await consumer.close();
    assert.deepEqual(await inspectTopology(channel, topology), { ready: 0, consumers: 0, dead: 0 });
  });

  it("waits for the call at work when it closes, and acknowledges it before saying goodbye", async () => {
    const topology = freshTopology();
    const send = (): boolean =>
      channel.sendToQueue(
        topology.queue,
        Buffer.from(JSON.stringify({ eventId: randomUUID(), transactionIds: [] })),
      );
    // Repeated, since amqplib may send what is queued on a connection in another order.
    for (let round = 0; round < 5; round += 1) {
      let finish: (() => void) | undefined;
      const consumer = await openConsumer({
        url: amqpUrl,
        log: silent,
        topology,
        handler: async () => {
          await new Promise<void>((resolve) => (finish = resolve));
          return [];
        },
      });
      await waitFor(() => consumer.connected());
      send();
      await waitFor(() => finish !== undefined);
      const closed = consumer.close();
      await consumer.inspect();
      send();
      await waitFor(async () => (await inspectTopology(channel, topology)).ready === 1);
      finish?.();
      await closed;
      assert.equal(
        (await inspectTopology(channel, topology)).ready,
        1,
        "only what came after the cancellation is left",
      );
      await channel.purgeQueue(topology.queue);
    }
  });

  it("declares the queue again when it was deleted under its hands", async () => {
    const topology = freshTopology();
    const seen: Delivery[] = [];
    const consumer = await openConsumer({
      url: amqpUrl,
      log: silent,
      topology,
      handler: acceptAll(seen),
    });
    await waitFor(() => consumer.connected());
    await channel.deleteQueue(topology.queue);
    await waitFor(() => !consumer.connected());
    await waitFor(() => consumer.connected());
    channel.sendToQueue(
      topology.queue,
      Buffer.from(JSON.stringify({ eventId: randomUUID(), transactionIds: [] })),
    );
    await waitFor(() => seen.length === 1);
    await consumer.close();
  });
});
