-- Searches of a million events: names are found by week and gram, so that a word which is frequent but comes late, or is not there, is looked for week by
-- week; and what lasts for days has an index of its own, so that no search reads a year of what is over for the few that still go on. No release has known
-- the index that goes, so it goes at once.
-- contract
DROP INDEX event_by_name_grams;
DROP FUNCTION event_name_grams(text);

-- Weeks are counted from 1970-01-01: 0 to 6,800 within the years that events may have.
CREATE FUNCTION event_week(date date) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT (date - '1970-01-01'::date) / 7 $$;
CREATE FUNCTION event_week_start(week integer) RETURNS date LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT '1970-01-01'::date + 7 * week $$;

-- Grams as the index has them in one week: behind its number in four digits.
CREATE FUNCTION event_week_keys(week integer, grams text[]) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN ARRAY(SELECT lpad(week::text, 4, '0') || gram FROM unnest(grams) AS gram);
END $$;

-- All substrings of 1 to 3 letters, and the type behind "=", as keys of the event's week: the twin of grams() in domain/fold.ts, and a test compares them. An
-- index on the expression instead of a column keeps rows narrow. The cost tells the planner never to compute it row by row where the index can answer.
CREATE FUNCTION event_week_grams(date date, name_key text, type_key text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
DECLARE
  letters text[] := string_to_array(name_key, NULL);
  week text := lpad(((date - '1970-01-01'::date) / 7)::text, 4, '0');
  keys text[] := ARRAY[week || '=' || type_key];
BEGIN
  FOR i IN 1 .. cardinality(letters) LOOP
    keys := keys || (week || letters[i]);
    IF i < cardinality(letters) THEN
      keys := keys || (week || letters[i] || letters[i + 1]);
    END IF;
    IF i + 1 < cardinality(letters) THEN
      keys := keys || (week || letters[i] || letters[i + 1] || letters[i + 2]);
    END IF;
  END LOOP;
  RETURN keys;
END $$;
CREATE INDEX event_by_week_grams ON event USING gin (event_week_grams(date, name_key, type_key)) WITH (fastupdate = on, gin_pending_list_limit = 1024);

CREATE INDEX event_by_date_long ON event (date, starts_at, id) INCLUDE (ends_at, name_key, type_key, location_key) WHERE duration > 4320;
