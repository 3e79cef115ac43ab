import type { Service } from "moleculer";
import { configOf, nodeContextOf } from "../../../lib/bus/node-context.ts";
import { systemClock } from "../../../lib/concurrency/clock.ts";
import type { Publisher } from "../../../lib/queue/index.ts";
import type { WithDatabases } from "../../../mixins/database.mixin.ts";
import type { WithLeases } from "../../../mixins/lease.mixin.ts";
import type { WithRedis } from "../../../mixins/redis.mixin.ts";
import type { WithTokens } from "../../../mixins/tokens.mixin.ts";
import { createAvailabilityCopies } from "../availability/availability-copies.ts";
import { createBuyersRoom } from "./ownership.ts";
import { createBatchedEventStore } from "../store/batched-event-store.ts";
import { postgresManyEvents } from "../store/many-events.ts";
import { postgresStore } from "../store/event-store.ts";
import { newTicketId } from "../../../lib/ids.ts";
import type { WithTicketReads } from "../tickets/ticket-reads.ts";
import { createOwnerRouter } from "./workers.ts";
import type { PurchaseMetrics, WorkerPorts } from "./ports.ts";

type Host = Service &
  WithDatabases<"worker"> &
  WithRedis &
  WithLeases &
  WithTokens &
  WithTicketReads;

/** Notes that an operator should see at the usual log level. */
const WARNINGS: ReadonlySet<string> = new Set([
  "commit-failed",
  "oversell-prevented",
  "commit-unknown",
  "store-away",
  "fault",
]);

/** Connects the workers of a node to its servers. `close` ends the ports' background work. */
export function createWorkerPorts(
  { broker, logger, databases, redis, leases, tokens, ticketReads }: Host,
  publisher: Publisher,
  metrics: PurchaseMetrics | undefined,
): WorkerPorts & { close(): void } {
  const { batchMax, mailboxMax, ticketsPerCustomerMax } = configOf(broker);
  const copies = createAvailabilityCopies(broker, redis, ticketReads.unlisted);
  return {
    store: createBatchedEventStore(
      postgresStore(databases.worker, broker.nodeID),
      postgresManyEvents(databases.worker, broker.nodeID),
    ),
    lease: {
      acquire: (eventId, waitMs, cutShort) =>
        leases.acquire(`lock:event:{${eventId}}`, waitMs, cutShort),
    },
    publisher,
    copies,
    clock: systemClock,
    router: createOwnerRouter(broker, tokens.mint, nodeContextOf(broker).leaving),
    newTicketId,
    random: Math.random,
    buyersRoom: createBuyersRoom(),
    limits: { batchMax, mailboxMax, ticketsPerCustomerMax, knownMax: 10_000 },
    note(what, eventId, data) {
      metrics?.noted(what);
      logger[WARNINGS.has(what) ? "warn" : "debug"]({ what, eventId, ...data });
    },
    watch: metrics,
    close: () => copies.close(),
  };
}
