-- Folded text and keys are compared byte by byte, wherever the database was made: a language's order (strcoll) costs an import an eighth of PostgreSQL's time,
-- and no search sorts by it. The indexes on these columns, the one of names by week among them, are built anew.
-- expand
ALTER TABLE event
  ALTER COLUMN name_key TYPE text COLLATE "C",
  ALTER COLUMN type_key TYPE text COLLATE "C",
  ALTER COLUMN location_key TYPE text COLLATE "C",
  ALTER COLUMN source TYPE text COLLATE "C",
  ALTER COLUMN source_id TYPE text COLLATE "C";

-- The grams' statistics were four fifths of an ANALYZE, which an import sets off every few seconds, and no plan follows from them: searches say themselves
-- which index they go by.
ALTER INDEX event_by_week_grams ALTER COLUMN 1 SET STATISTICS 0;
