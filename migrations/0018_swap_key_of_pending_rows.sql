-- expand
-- As 0017, for the rows that wait for the ledger. A file of its own, so that it holds the lock of
-- one table at a time.
ALTER TABLE event_ticket_transactions DROP CONSTRAINT event_ticket_transactions_pkey,
  ADD CONSTRAINT event_ticket_transactions_pkey
    PRIMARY KEY USING INDEX event_ticket_transactions_id_event;
