/**
 * The queue between the workers and the ledger. It may repeat, reorder, lose or delay messages: the
 * pending rows in PostgreSQL are the transactional outbox, and a message only names events to look
 * at. Publishers: purchasing and the ledger's sweeper. Consumer: the ledger.
 */
export { type Consumer, type Delivery, type Handler, openConsumer, type Turn } from "./consumer.ts";
export type { Log } from "./connection.ts";
export { openPublisher, type Publisher } from "./publisher.ts";
export {
  DELIVERY_LIMIT,
  type EventBatch,
  eventIdsOf,
  type Topology,
  topologyOf,
  TRANSACTION_QUEUE,
} from "./topology.ts";
