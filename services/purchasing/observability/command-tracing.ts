import type { Span } from "@opentelemetry/api";
import { LRUCache } from "lru-cache";
import { TRANSACTION_QUEUE } from "../../../lib/queue/index.ts";
import type { Tracing } from "../../../lib/observability/tracing.ts";
import type { EventStore, Publisher, WorkerPorts } from "../worker/ports.ts";

/** `publish` as the queue offers it. */
export type TracedPublisher = {
  publish(eventId: string, transactionIds: string[], traceparent?: string): void;
};

export type TracedCommands = {
  /** A command comes to its worker within the present span. */
  came(transactionId: string): void;
  /** The worker's ports, with spans for what it does for commands that came within one. */
  ports(ports: WorkerPorts, publisher: TracedPublisher): WorkerPorts;
};

/** More than wait and work at any moment; what is forgotten is a link in a trace. */
const COMMANDS_MAX = 5_000;

type Known = { span: Span; batch?: Span };

/**
 * Traces commands through batches. A batch works for hundreds of traces: its span belongs to the
 * first one's trace, and it and each command's span are linked. A worker runs outside of any
 * request, so commands are found again by their transaction id.
 */
export function traceCommands(tracing: Tracing): TracedCommands {
  const commands = new LRUCache<string, Known>({ max: COMMANDS_MAX });
  const knownOf = (transactionIds: readonly string[]): Known[] =>
    transactionIds.flatMap((id) => commands.get(id) ?? []);

  const storeOf = (store: EventStore): EventStore => ({
    ...store,
    load(eventId, needs) {
      const [first] = knownOf(needs.purchases.map(({ transactionId }) => transactionId));
      const load = (): ReturnType<EventStore["load"]> => store.load(eventId, needs);
      return first === undefined ? load() : tracing.run(first.span, load);
    },
    commit(ownership, changes) {
      const known = knownOf(
        [...changes.sold, ...changes.cancelled].map(({ transactionId }) => transactionId),
      );
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
      for (const command of known) command.batch = batch;
      for (const { span } of others) span.addLink({ context: batch.spanContext() });
      return tracing.within(batch, async () => {
        const result = await commit();
        batch.setAttribute("boxoffice.outcome", result.type);
        return result;
      });
    },
  });

  const publisherOf = (publisher: TracedPublisher): Publisher => ({
    publish(eventId, transactionIds) {
      const parent = knownOf(transactionIds).find(({ batch }) => batch !== undefined)?.batch;
      for (const id of transactionIds) commands.delete(id);
      if (parent === undefined) {
        publisher.publish(eventId, transactionIds);
        return;
      }
      // No caller waits for the confirm, so the span ends when the message is sent.
      const attributes = {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": TRANSACTION_QUEUE,
        "boxoffice.event": eventId,
      };
      const span = tracing.begin(`publish ${TRANSACTION_QUEUE}`, "PRODUCER", {
        parent,
        attributes,
      });
      publisher.publish(eventId, transactionIds, tracing.traceparent(span));
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
