/**
 * The queue between workers and ledger. It may repeat, reorder, lose or delay messages: pending
 * rows in PostgreSQL are the transactional outbox, and a message only names the event. Published by
 * purchasing and the sweeper, consumed by the ledger.
 */
export { type Consumer, type Delivery, type Handler, openConsumer, type Turn } from "./consumer.ts";
export type { Log } from "./connection.ts";
export { openPublisher, type Publisher, type PublisherCounts } from "./publisher.ts";
export {
  DELIVERY_LIMIT,
  eventIdsOf,
  type Topology,
  topologyOf,
  TRANSACTION_QUEUE,
  type TransactionMessage,
} from "./topology.ts";
