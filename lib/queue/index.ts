/**
 * The queues. They may repeat, reorder, lose or delay messages: rows in PostgreSQL are the
 * transactional outboxes, and a message only names what to look at. Transactions: from purchasing
 * and the ledger's sweeper to the ledger. Notifications: from the notifier's sweeper to notifiers.
 */
export { type Consumer, type Delivery, type Handler, openConsumer, type Turn } from "./consumer.ts";
export type { Log } from "./connection.ts";
export {
  encodeNotifications,
  NOTIFICATION_QUEUE,
  type NotificationMessage,
  readNotifications,
} from "./notification-message.ts";
export { openPublisher, type Publisher } from "./publisher.ts";
export {
  DELIVERY_LIMIT,
  type EventBatch,
  eventIdsOf,
  readMessage,
  type Topology,
  topologyOf,
  TRANSACTION_QUEUE,
} from "./topology.ts";
