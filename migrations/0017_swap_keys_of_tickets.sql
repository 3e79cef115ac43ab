-- expand
-- The keys of 0016 in place of those without the event. No statement of any release names a key,
-- and the first columns are the same, so the release before goes on working.
ALTER TABLE event_tickets DROP CONSTRAINT event_tickets_pkey,
  DROP CONSTRAINT event_tickets_sale_key,
  ADD CONSTRAINT event_tickets_pkey PRIMARY KEY USING INDEX event_tickets_id_event;
ALTER INDEX event_tickets_sale RENAME TO event_tickets_sale_key;
