import type { Span } from "@opentelemetry/api";
import { LRUCache } from "lru-cache";
import { type EventBatch, TRANSACTION_QUEUE } from "../../../lib/queue/index.ts";
import type { Tracing } from "../../../lib/observability/tracing.ts";
import type { EventStore, Ownership, Publisher, WorkerPorts } from "../worker/ports.ts";

/** `publish` as the queue offers it. */
export type TracedPublisher = {
  publish(batch: EventBatch, traceparent?: string): void;
};

export type TracedCommands = {
  /** A command comes to its worker within the present span. */
  came(transactionId: string): void;
  /** The worker's ports, with spans for what it does for commands that came within one. */
  ports(ports: WorkerPorts, publisher: TracedPublisher): WorkerPorts;
};

/** More than wait and work at any moment; what is forgotten is a link in a trace. */
const COMMANDS_MAX = 5_000;
const BATCHES_MAX = 1_000;

/**
 * Traces commands through batches. A batch works for hundreds of traces: its span belongs to the
 * first one's trace, and it and each command's span are linked. A worker runs outside of any
 * request, so commands are found again by their transaction id.
 */
export function traceCommands(tracing: Tracing): TracedCommands {
  const commands = new LRUCache<string, { span: Span }>({ max: COMMANDS_MAX });
  const knownOf = (transactionIds: readonly string[]): { span: Span }[] =>
    transactionIds.flatMap((id) => commands.get(id) ?? []);
  /** Spans of committed batches that were not published yet. */
  const batches = new LRUCache<string, Span>({ max: BATCHES_MAX });

  const storeOf = (store: EventStore): EventStore => ({
    ...store,
    load(eventId, needs) {
      const [first] = knownOf(needs.purchases.map(({ transactionId }) => transactionId));
      const load = (): ReturnType<EventStore["load"]> => store.load(eventId, needs);
      return first === undefined ? load() : tracing.run(first.span, load);
    },
    commit(ownership, changes) {
      const ids = [...changes.sold, ...changes.cancelled].map(({ transactionId }) => transactionId);
      const known = knownOf(ids);
      const commit = (): ReturnType<EventStore["commit"]> => store.commit(ownership, changes);
      const [first, ...others] = known;
      if (first === undefined) return commit();
      const batch = tracing.begin("purchasing.batch", "INTERNAL", {
        parent: first.span,
        links: known.map(({ span }) => span),
        attributes: {
          "boxoffice.event": ownership.eventId,
          "boxoffice.epoch": ownership.epoch,
          "boxoffice.batch": ownership.batch + 1,
        },
      });
      batch.setAttributes({
        "boxoffice.sold": changes.sold.length,
        "boxoffice.cancelled": changes.cancelled.length,
      });
      for (const { span } of others) span.addLink({ context: batch.spanContext() });
      return tracing.within(batch, async () => {
        const result = await commit();
        batch.setAttribute("boxoffice.outcome", result.type);
        if (result.type === "committed") {
          batches.set(keyOf({ ...ownership, batch: result.batch }), batch);
          for (const id of ids) commands.delete(id);
        }
        return result;
      });
    },
  });

  const publisherOf = (publisher: TracedPublisher): Publisher => ({
    publish(batch) {
      const parent = batches.get(keyOf(batch));
      if (parent === undefined) {
        publisher.publish(batch);
        return;
      }
      batches.delete(keyOf(batch));
      // No caller waits for the confirm, so the span ends when the message is sent.
      const attributes = {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": TRANSACTION_QUEUE,
        "boxoffice.event": batch.eventId,
      };
      const span = tracing.begin(`publish ${TRANSACTION_QUEUE}`, "PRODUCER", {
        parent,
        attributes,
      });
      publisher.publish(batch, tracing.traceparent(span));
      tracing.end(span);
    },
  });

  return {
    came(transactionId) {
      const span = tracing.current();
      if (span !== undefined) commands.set(transactionId, { span });
    },
    ports: (ports, publisher) => ({
      ...ports,
      store: storeOf(ports.store),
      publisher: publisherOf(publisher),
      router: {
        ...ports.router,
        forward(eventId, command) {
          const [known] = knownOf([command.transactionId]);
          const forward = (): ReturnType<WorkerPorts["router"]["forward"]> =>
            ports.router.forward(eventId, command);
          return known === undefined ? forward() : tracing.run(known.span, forward);
        },
      },
    }),
  };
}

function keyOf({ eventId, epoch, batch }: Ownership): string {
  return `${eventId} ${epoch} ${batch}`;
}
