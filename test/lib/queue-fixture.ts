import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { processEnvironment } from "../../config/index.ts";
import { type Delivery, type Handler, type Topology, topologyOf } from "../../lib/queue/index.ts";
import { inspectTopology } from "../../lib/queue/topology.ts";

export const amqpUrl = processEnvironment().AMQP_URL ?? assert.fail("AMQP_URL names no RabbitMQ");
export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
export const DELIVERY_LIMIT = 3;

export const acceptAll =
  (into: Delivery[]): Handler =>
  async (deliveries) => {
    into.push(...deliveries);
    return [];
  };

/** A channel of the test's own, and queues that are deleted with it. */
export class QueueFixture {
  readonly #topologies: Topology[] = [];
  readonly #model: ChannelModel;
  readonly channel: Channel;

  private constructor(model: ChannelModel, channel: Channel) {
    this.#model = model;
    this.channel = channel;
  }

  static async open(): Promise<QueueFixture> {
    const model = await connect(amqpUrl);
    return new QueueFixture(model, await model.createChannel());
  }

  freshTopology(): Topology {
    const topology = topologyOf(`test-${randomUUID()}`, DELIVERY_LIMIT);
    this.#topologies.push(topology);
    return topology;
  }

  send({ queue }: Topology, content: string | object = messageOf(randomUUID())): boolean {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return this.channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
  }

  counts(topology: Topology) {
    return inspectTopology(this.channel, topology);
  }

  async close(): Promise<void> {
    for (const { queue, deadQueue } of this.#topologies) {
      await this.channel.deleteQueue(queue);
      await this.channel.deleteQueue(deadQueue);
    }
    await this.#model.close();
  }
}

export const messageOf = (eventId: string, transactionIds: string[] = []) => ({
  eventId,
  transactionIds,
});
