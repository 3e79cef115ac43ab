import { type Handler, TRANSACTION_QUEUE } from "../../../lib/queue/index.ts";
import type { Tracing } from "../../../lib/observability/tracing.ts";

/**
 * Traces each batch of messages that carries a trace: a span in the first one's trace, linked to
 * all.
 */
export function tracedHandler(handler: Handler, tracing: Tracing | undefined): Handler {
  if (tracing === undefined) return handler;
  return (deliveries, turn) => {
    const links = deliveries.flatMap(({ traceparent }) => traceparent ?? []);
    const [parent] = links;
    if (parent === undefined) return handler(deliveries, turn);
    const attributes = {
      "messaging.system": "rabbitmq",
      "messaging.destination.name": TRANSACTION_QUEUE,
      "messaging.batch.message_count": deliveries.length,
    };
    const span = tracing.begin(`process ${TRANSACTION_QUEUE}`, "CONSUMER", {
      parent,
      links,
      attributes,
    });
    return tracing.within(span, () => handler(deliveries, turn));
  };
}
