-- expand
-- A feed can postpone or cancel an event: nothing more is sold, tickets stay and show it. NOT VALID: 0015 validates the
-- constraint without a lock that stops searches.
--
-- `ticket_move_epoch` is the epoch of the import that moved the event to another date, until the date of all sold tickets
-- has followed, in parts. Null: no ticket waits.
ALTER TABLE event ADD COLUMN status text NOT NULL DEFAULT 'scheduled', ADD COLUMN ticket_move_epoch bigint;
ALTER TABLE event ADD CONSTRAINT event_status_check CHECK (status IN ('scheduled', 'postponed', 'cancelled')) NOT VALID;
