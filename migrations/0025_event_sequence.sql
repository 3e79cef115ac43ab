-- expand
-- The version of an event in its feed (SEQUENCE of iCalendar): an import of an older file changes
-- nothing. Null: the feed has none. A node of the last release writes none.
ALTER TABLE event ADD COLUMN sequence integer;
