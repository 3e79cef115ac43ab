-- expand
-- The ledger stays append-only, also for its owner. Only `npx boxoffice retention` sets
-- boxoffice.retention in its transaction, when it deletes rows of events that are long over. See
-- ADR-0058.
CREATE OR REPLACE FUNCTION capacity_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('boxoffice.retention', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'capacity_ledger is append-only';
END $$;
