-- Partitions the tables of sales by hash of the event, eight partitions each. See ADR-0057. Run it
-- in a quiet hour: until it commits, purchases and cancellations are answered TRY_AGAIN, and reads
-- of tickets wait. No node must be restarted. If it fails, nothing is changed.
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f tools/database/partition-sales.sql
BEGIN;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '1s';
LOCK TABLE event_worker, event_ticket_transactions, event_tickets IN ACCESS EXCLUSIVE MODE;

ALTER TABLE event_tickets RENAME TO event_tickets_whole;
ALTER TABLE event_ticket_transactions RENAME TO event_ticket_transactions_whole;
CREATE TABLE event_tickets (LIKE event_tickets_whole INCLUDING ALL EXCLUDING INDEXES)
  PARTITION BY HASH (event_id);
CREATE TABLE event_ticket_transactions
  (LIKE event_ticket_transactions_whole INCLUDING ALL EXCLUDING INDEXES)
  PARTITION BY HASH (event_id);
DO $$
BEGIN
  FOR n IN 0 .. 7 LOOP
    EXECUTE format('CREATE TABLE event_tickets_%s PARTITION OF event_tickets
      FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
    -- Storage settings belong to partitions. LIKE does not copy them.
    EXECUTE format('CREATE TABLE event_ticket_transactions_%s
      PARTITION OF event_ticket_transactions FOR VALUES WITH (MODULUS 8, REMAINDER %s) WITH (%s)',
      n, n, (SELECT string_agg(setting, ', ') FROM pg_class, unnest(reloptions) AS setting
        WHERE oid = 'event_ticket_transactions_whole'::regclass));
  END LOOP;
END $$;
INSERT INTO event_tickets TABLE event_tickets_whole;
INSERT INTO event_ticket_transactions TABLE event_ticket_transactions_whole;
DROP TABLE event_tickets_whole, event_ticket_transactions_whole;

-- Behind the rows: an index of many rows is built faster than it grows.
SET LOCAL maintenance_work_mem = '256MB';
ALTER TABLE event_tickets ADD CONSTRAINT event_tickets_pkey PRIMARY KEY (id, event_id);
CREATE UNIQUE INDEX event_tickets_sale_key
  ON event_tickets (event_id, user_id, substr(transaction_id, 1, 16), ordinal);
CREATE INDEX event_tickets_by_user ON event_tickets (user_id, event_date, id);
ALTER TABLE event_ticket_transactions
  ADD CONSTRAINT event_ticket_transactions_pkey PRIMARY KEY (transaction_id, event_id);
CREATE INDEX event_ticket_transactions_by_event
  ON event_ticket_transactions (event_id, epoch, batch);
COMMIT;
ANALYZE event_tickets, event_ticket_transactions;
