import { listOf, record, text } from "./schemas.ts";
import { type Schema, UUID } from "../routing/route.ts";

/** Of a thousand events on sale these are worth a look. */
export const WORKERS_MAX = 200;

const number = (description: string): Schema => ({ type: "integer", description });
const orNull = (description: string): Schema => ({ type: ["integer", "null"], description });

export const ENGINE_SCHEMA: Schema = record({
  at: { type: "string", format: "date-time" },
  nodes: {
    ...listOf(
      record({
        node: text(),
        services: { ...listOf(text()), description: "Of api, catalog, purchasing and ledger" },
        silent: {
          ...listOf(text()),
          description: "Those that did not answer within a second: their figures are missing below",
        },
      }),
    ),
    description: "By name",
  },
  workerCount: number("Workers there are, of all nodes"),
  workers: {
    ...listOf(
      record({
        node: text(),
        eventId: UUID,
        epoch: orNull("Null: it has none at this moment"),
        batch: orNull("Batches committed under this epoch"),
        available: orNull("Left to sell"),
        mailbox: number("Commands that wait"),
        largestBatch: number("Commands in its largest batch"),
        sales: number("Purchases since the worker came; a worker that was idle for 30 s goes"),
        degraded: { type: "boolean", description: "It works without the lease" },
      }),
    ),
    description: `The fullest mailboxes first, then most sales; ${WORKERS_MAX} at most`,
  },
  ledger: {
    ...record({
      pendingRows: number("Transactions sold and not booked yet"),
      oldestPendingMs: number("How long the oldest has waited: the ledger's lag"),
      failedRows: number("Which the ledger could not book"),
      appliedRows: number("Booked since the nodes started"),
    }),
    type: ["object", "null"],
    description: "Null: no ledger could tell",
  },
  queue: {
    ...record({
      ready: number("Messages that wait"),
      dead: number("Dead letters"),
      consumers: number("Ledgers that listen"),
    }),
    type: ["object", "null"],
    description: "Null: RabbitMQ is away",
  },
  layers: {
    ...record({
      gateway: {
        ...counts("hits", "misses", "stale", "notModified"),
        description: "Searches answered from kept bytes, from the catalogue, from old bytes",
      },
      catalog: {
        ...counts("hits", "partial", "misses", "stale", "unasked"),
        description: "Answered from Redis, in part, from PostgreSQL, from old copies",
      },
    }),
    description: "Counts since the nodes started, of all nodes together",
  },
  streams: {
    ...counts("open", "sent", "skipped", "dropped"),
    description: "Streams of live availability, of all gateways together",
  },
});

/** Of which none is there before its first node has answered. */
function counts(...names: string[]): Schema {
  return record(Object.fromEntries(names.map((name) => [name, { type: "integer" }])), names);
}
