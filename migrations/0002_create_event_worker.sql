-- Ownership and sales: the epoch that fences workers, the tickets, the pending rows (the outbox) and the ledger.
-- No foreign keys to event on the three tables that grow with sales: each inserted row would lock the event's row
-- (FOR KEY SHARE), a cost per ticket on the hottest row there is, and events are never deleted.
-- expand
CREATE TABLE event_worker (
  event_id uuid PRIMARY KEY REFERENCES event (id),
  epoch bigint NOT NULL,
  batch bigint NOT NULL,
  node text NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE event_tickets (
  id uuid PRIMARY KEY,
  event_id uuid NOT NULL,
  user_id uuid NOT NULL,
  event_date date NOT NULL,
  transaction_id bytea NOT NULL,
  ordinal smallint NOT NULL,
  purchased_at timestamptz NOT NULL,
  cancelled_at timestamptz,
  CONSTRAINT event_tickets_sale_key UNIQUE (transaction_id, ordinal)
);
CREATE INDEX event_tickets_active ON event_tickets (event_id, user_id) WHERE cancelled_at IS NULL;
CREATE INDEX event_tickets_by_user ON event_tickets (user_id, event_date, id);

-- Rows live from the sale until the ledger has applied them, so the table is small and churns.
CREATE TABLE event_ticket_transactions (
  transaction_id bytea PRIMARY KEY,
  event_id uuid NOT NULL,
  user_id uuid NOT NULL,
  event_date date NOT NULL,
  quantity integer NOT NULL CHECK (quantity <> 0),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'completed', 'failed')),
  epoch bigint NOT NULL,
  batch bigint NOT NULL,
  created_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
CREATE INDEX event_ticket_transactions_by_event ON event_ticket_transactions (event_id, epoch, batch);

CREATE TABLE capacity_ledger (
  transaction_id bytea PRIMARY KEY,
  event_id uuid NOT NULL,
  user_id uuid NOT NULL,
  quantity integer NOT NULL,
  applied_at timestamptz NOT NULL
);
CREATE INDEX capacity_ledger_by_event ON capacity_ledger (event_id);

CREATE FUNCTION capacity_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'capacity_ledger is append-only';
END $$;
CREATE TRIGGER capacity_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON capacity_ledger
  FOR EACH STATEMENT EXECUTE FUNCTION capacity_ledger_is_append_only();

-- Called inside the worker's commit: a count that differs from the decision takes the whole statement back.
CREATE FUNCTION require_count(what text, actual bigint, expected bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF actual <> expected THEN
    RAISE EXCEPTION '% differ from the decision: % instead of %', what, actual, expected USING ERRCODE = 'BX001';
  END IF;
  RETURN true;
END $$;
