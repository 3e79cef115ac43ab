-- expand
-- no transaction
-- One ledger row per batch in place of one per transaction, which had outgrown the tickets. Such a row has an empty
-- transaction_id and no customer; `transactions` counts what the batch has booked. Older rows stay as they are. The
-- primary key (event, epoch, batch, transaction) lets each batch be booked once.
ALTER TABLE capacity_ledger ADD COLUMN IF NOT EXISTS transactions integer NOT NULL DEFAULT 1;
ALTER TABLE capacity_ledger ALTER COLUMN user_id DROP NOT NULL;
-- Batches that freed more places than they sold have the same empty transaction_id.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS capacity_ledger_single_cancellations
  ON capacity_ledger (transaction_id) WHERE quantity > 0 AND transaction_id <> '\x'::bytea;
DROP INDEX CONCURRENTLY IF EXISTS capacity_ledger_cancellations;
