-- Search: every filter has an index that also gives the sort (date, starts_at, id), with what else is asked about a row beside it,
-- so that a page is read from the index alone; names are found by their grams.
-- expand
CREATE INDEX event_location ON event (location);
CREATE INDEX event_by_date ON event (date, starts_at, id) INCLUDE (ends_at, name_key);
CREATE INDEX event_by_location ON event (location_key, date, starts_at, id) INCLUDE (ends_at, type_key, name_key);
CREATE INDEX event_by_type ON event (type_key, date, starts_at, id) INCLUDE (ends_at, name_key);

-- All distinct substrings of 1 to 3 letters: the twin of grams() in domain/fold.ts, and a test compares them. An index on the expression
-- instead of a column keeps rows narrow. The cost tells the planner never to compute it row by row where the index can answer.
CREATE FUNCTION event_name_grams(name_key text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
DECLARE
  letters text[] := string_to_array(name_key, NULL);
  grams text[] := letters;
BEGIN
  FOR i IN 1 .. cardinality(letters) - 1 LOOP
    grams := grams || (letters[i] || letters[i + 1]);
    IF i + 2 <= cardinality(letters) THEN
      grams := grams || (letters[i] || letters[i + 1] || letters[i + 2]);
    END IF;
  END LOOP;
  RETURN grams;
END $$;
CREATE INDEX event_by_name_grams ON event USING gin (event_name_grams(name_key)) WITH (fastupdate = on, gin_pending_list_limit = 1024);

-- Pages are read from the index alone only where VACUUM has been; a large import is followed soon.
ALTER TABLE event SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
