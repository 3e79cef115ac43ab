import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, describe, it } from "node:test";
import { connect } from "amqplib";
import { processEnvironment } from "../../config/index.ts";
import {
  type Delivery,
  eventIdsOf,
  openConsumer,
  openPublisher,
  readMessage,
  type Topology,
  topologyOf,
} from "../../lib/queue/index.ts";
import { waitFor } from "../support/wait-for.ts";

const amqpUrl = processEnvironment().AMQP_URL ?? assert.fail("AMQP_URL names no RabbitMQ");
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe("the queue, when many events sell at once", () => {
  let topology: Topology | undefined;
  after(async () => {
    const model = await connect(amqpUrl);
    const channel = await model.createChannel();
    for (const queue of topology === undefined ? [] : [topology.queue, topology.deadQueue])
      await channel.deleteQueue(queue);
    await model.close();
  });

  it("puts up to twenty small batches into one message, a traced one into its own", async () => {
    topology = topologyOf(`test-${randomUUID()}`);
    const publisher = await openPublisher({ url: amqpUrl, log: silent, topology });
    await waitFor(() => publisher.connected());
    const batches = Array.from({ length: 45 }, (_, batch) => ({
      eventId: randomUUID(),
      epoch: 7,
      batch,
    }));
    for (const batch of batches) publisher.publish(batch);
    const [alone, last] = [randomUUID(), randomUUID()];
    publisher.publish(
      { eventId: alone },
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    await waitFor(() => publisher.counts().confirmed === 4);
    publisher.publish({ eventId: last });
    await publisher.close();
    const seen: Delivery[] = [];
    const consumer = await openConsumer({
      read: readMessage,
      url: amqpUrl,
      log: silent,
      topology,
      handler: async (deliveries) => (seen.push(...deliveries), []),
    });
    await waitFor(() => seen.length === 5);
    const sizes = seen.map(({ message }) => [eventIdsOf(message).length, message.eventId]);
    const first = (index: number): string => batches[index]?.eventId ?? "";
    assert.deepEqual(
      sizes,
      [
        [1, alone],
        [20, first(0)],
        [20, first(20)],
        [5, first(40)],
        [1, last],
      ],
      "buffered batches are sent before it closes",
    );
    const all = seen.slice(1, 4).flatMap(({ message: { more = [], ...one } }) => [one, ...more]);
    assert.deepEqual(all, batches);
    await consumer.close();
  });
});
