-- What a sale costs with ten million sold before. A transaction's id is random: the first use of almost every page of an index over millions of them is logged whole
-- (full-page image), and read from disk. So no index of purchases is by their ids alone: their tickets are found by event and customer, whom the id
-- is made of, and what is booked lies in the order of its commits. No release has known the indexes that go, so they go at once.
-- contract
ALTER TABLE event_tickets DROP CONSTRAINT event_tickets_sale_key;
ALTER TABLE event_tickets ADD CONSTRAINT event_tickets_sale_key UNIQUE (event_id, user_id, transaction_id, ordinal);
DROP INDEX event_tickets_active;

-- 0 and 0: booked before this was noted.
ALTER TABLE capacity_ledger ADD COLUMN epoch bigint NOT NULL DEFAULT 0, ADD COLUMN batch bigint NOT NULL DEFAULT 0;
ALTER TABLE capacity_ledger DROP CONSTRAINT capacity_ledger_pkey;
ALTER TABLE capacity_ledger ADD CONSTRAINT capacity_ledger_pkey PRIMARY KEY (event_id, epoch, batch, transaction_id);
DROP INDEX capacity_ledger_by_event;
-- Cancellations are few, and found by their id alone: it is made of the ticket's, which the ledger does not have.
CREATE UNIQUE INDEX capacity_ledger_cancellations ON capacity_ledger (transaction_id) WHERE quantity > 0;
