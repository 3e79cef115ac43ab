import type { ServiceSchema, ServiceSettingSchema } from "moleculer";
import { nodeContextOf, serverUrlOf, watchConnection } from "../lib/bus/node-context.ts";
import {
  type Consumer,
  type Handler,
  openConsumer,
  openPublisher,
  type Publisher,
  readMessage,
  topologyOf,
} from "../lib/queue/index.ts";
import { defineMixin } from "./define-mixin.ts";

/** The queue as data. Publisher and consumer declare it at each connection. */
export type QueueSettings = { queue: { name: string; deliveryLimit: number } };
/** What `QueueMixin` adds to a service. Undefined until the service starts. */
export type WithPublisher = { publisher: Publisher | undefined };
export type WithConsumer = { consumer: Consumer | undefined };
/** The method of a consuming service that gets each batch of messages. */
type Handles = { handleDeliveries: Handler<unknown> };

/**
 * Gives a service a publisher on a queue and, with `consumes`, a consumer that parses messages by
 * `read` and passes batches to the service's method `handleDeliveries`.
 *
 * Each service has its own connections: its messages are counted per service, and RabbitMQ blocks a
 * publishing connection, which a consumer must not share. The consumer takes no more once the node
 * begins to stop.
 */
export function QueueMixin(
  queue: QueueSettings["queue"],
  {
    consumes = false,
    read = readMessage,
  }: { consumes?: boolean; read?: (content: Buffer) => unknown } = {},
): Partial<ServiceSchema> {
  return defineMixin<WithPublisher & WithConsumer & Handles, ServiceSettingSchema & QueueSettings>({
    settings: { queue },
    created() {
      watchConnection(this.broker, "rabbitmq", () => {
        const own = consumes ? [this.publisher, this.consumer] : [this.publisher];
        return own.every((one) => one?.connected() ?? false);
      });
    },
    async started() {
      const url = serverUrlOf(this.broker, "amqpUrl");
      const { name, deliveryLimit } = this.settings.queue;
      const { config, troubles } = nodeContextOf(this.broker);
      const ca = config.serversCa?.pem;
      const options = { url, ca, log: this.logger, topology: topologyOf(name, deliveryLimit) };
      this.publisher = await openPublisher({ ...options, troubles });
      if (!consumes) return;
      const consumer = await openConsumer({ ...options, read, handler: this.handleDeliveries });
      nodeContextOf(this.broker).leaving.addEventListener("abort", () => consumer.leave());
      this.consumer = consumer;
    },
    async stopped() {
      await Promise.all([this.consumer?.close(), this.publisher?.close()]);
    },
  });
}
