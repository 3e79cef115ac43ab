-- expand
-- no transaction
-- Unique keys that include event_id, so that the tables of sales can be partitioned by hash of the
-- event. 0017 and 0018 put them in place of the old keys. The sale key has the first 16 bytes of
-- the transaction's id: event and customer stand before them, and 128 bits of an HMAC tell one
-- customer's purchases apart. See ADR-0057.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS event_tickets_id_event
  ON event_tickets (id, event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS event_tickets_sale
  ON event_tickets (event_id, user_id, substr(transaction_id, 1, 16), ordinal);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS event_ticket_transactions_id_event
  ON event_ticket_transactions (transaction_id, event_id);
-- Only rows of releases before 0013 are in it.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS capacity_ledger_cancellations
  ON capacity_ledger (event_id, transaction_id)
  WHERE quantity > 0 AND transaction_id <> '\x'::bytea;
DROP INDEX CONCURRENTLY IF EXISTS capacity_ledger_single_cancellations;
