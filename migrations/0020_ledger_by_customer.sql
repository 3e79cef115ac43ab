-- expand
-- no transaction
-- Reconcile compares what the ledger booked one by one until release 0.2 with tickets, some
-- customers of an event at a time. Rows of whole batches name no customer and are not in the index.
-- See ADR-0062.
CREATE INDEX CONCURRENTLY IF NOT EXISTS capacity_ledger_by_customer
  ON capacity_ledger (event_id, user_id) WHERE user_id IS NOT NULL;
