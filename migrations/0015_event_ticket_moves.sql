-- expand
-- no transaction
-- Finds the few events whose tickets still have to follow to another date, at each start of the catalog.
ALTER TABLE event VALIDATE CONSTRAINT event_status_check;
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_ticket_moves ON event (id) WHERE ticket_move_epoch IS NOT NULL;
