import { listOf, record, text } from "./schemas.ts";
import { type Schema, UUID } from "../routing/route.ts";

/** Workers listed at most, of perhaps thousands. */
export const WORKERS_MAX = 200;

const number = (description: string): Schema => ({ type: "integer", description });
const orNull = (description: string): Schema => ({ type: ["integer", "null"], description });

export const ENGINE_SCHEMA: Schema = record({
  at: { type: "string", format: "date-time" },
  nodes: {
    ...listOf(
      record({
        node: text(),
        services: {
          ...listOf(text()),
          description: "Of api, auth, catalog, purchasing, ledger and notifier",
        },
        silent: {
          ...listOf(text()),
          description: "Services that did not answer within a second; their figures are missing",
        },
      }),
    ),
    description: "By name",
  },
  workerCount: number("Workers of all nodes"),
  workers: {
    ...listOf(
      record({
        node: text(),
        eventId: UUID,
        epoch: orNull("Null: it has none now"),
        batch: orNull("Batches committed under this epoch"),
        available: orNull("Left to sell"),
        mailbox: number("Waiting commands"),
        largestBatch: number("Commands in its largest batch"),
        sales: number("Purchases since the worker started; it stops after 30 s without commands"),
        tickets: number("Tickets of those purchases"),
        degraded: { type: "boolean", description: "It works without a lease" },
      }),
    ),
    description: `The fullest mailboxes first, then most sales; ${WORKERS_MAX} at most`,
  },
  ledger: {
    ...record({
      pendingRows: number("Transactions sold and not booked yet"),
      oldestPendingMs: number("How long the oldest has waited: the ledger's lag"),
      failedRows: number("Transactions that the ledger could not book"),
      appliedRows: number("Booked since the nodes started"),
    }),
    type: ["object", "null"],
    description: "Null: no ledger answered",
  },
  queue: {
    ...record({
      ready: number("Waiting messages"),
      dead: number("Dead letters"),
      consumers: number("Consuming ledgers"),
    }),
    type: ["object", "null"],
    description: "Null: RabbitMQ is down",
  },
  layers: {
    ...record({
      gateway: {
        ...counts("hits", "misses", "stale", "notModified"),
        description: "Searches answered from the cache, from the catalog, from stale responses",
      },
      catalog: {
        ...counts("hits", "partial", "misses", "stale", "unasked"),
        description: "Answered from Redis, in part, from PostgreSQL, from stale copies",
      },
    }),
    description: "Counters of all nodes since their start",
  },
  streams: {
    ...counts("open", "sent", "skipped", "dropped"),
    description: "Streams of live availability, of all gateways",
  },
});

/** Counters. All are optional: none is known before a node has answered. */
function counts(...names: string[]): Schema {
  return record(Object.fromEntries(names.map((name) => [name, { type: "integer" }])), names);
}
