-- expand
-- Cities are found by any of their names (`city_key`, null where it is the location_key: ADR-0074),
-- and names and cities by words in which one letter may be wrong (`event_word`: ADR-0075). Stored
-- events get their city_key with the next import of their feed.
ALTER TABLE event ADD COLUMN city_key text COLLATE "C";

-- The words of four letters and more: the twin of words() in domain/search-words.ts, and a test
-- compares them.
CREATE FUNCTION event_words(key text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT DISTINCT word FROM regexp_split_to_table(key,
    '[\u0001-/:-@[-`{-\u00bf\u2000-\u206f\u3000-\u3003\u3008-\u3011\u30fb]+') AS word
  WHERE char_length(word) >= 4
$$;

-- A word, and the word without each of its letters: the twin of deletions(), likewise.
CREATE FUNCTION event_word_deletions(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ARRAY(
    SELECT word UNION
    SELECT left(word, i - 1) || substr(word, i + 1) FROM generate_series(1, char_length(word)) AS i
  )
$$;

-- All substrings of 1 to 3 letters of a word: the twin of grams(), likewise.
CREATE FUNCTION event_word_grams(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ARRAY(
    SELECT DISTINCT substr(word, start, length)
    FROM generate_series(1, char_length(word)) AS start, generate_series(1, 3) AS length
  )
$$;

CREATE TABLE event_word (word text COLLATE "C" PRIMARY KEY);
INSERT INTO event_word (word)
  SELECT DISTINCT word COLLATE "C"
  FROM event, event_words(name_key || E'\n' || location_key) AS word;
-- Searches come between imports: each would read the list of what is pending.
CREATE INDEX event_word_by_deletions ON event_word
  USING gin (event_word_deletions(word)) WITH (fastupdate = off);
CREATE INDEX event_word_by_grams ON event_word
  USING gin (event_word_grams(word)) WITH (fastupdate = off);

-- Keys of an event's week, as event_week_grams has them, of its city: all substrings of 1 to 3
-- letters of its names, and the type behind "=". Behind "~" the words of name and city.
CREATE FUNCTION event_week_city(
  date date, name_key text, location_key text, city_key text, type_key text
) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100000 AS $$
DECLARE
  places text := location_key || E'\n' || coalesce(city_key, '');
  letters text[] := string_to_array(places, NULL);
  week text := lpad(((date - '1970-01-01'::date) / 7)::text, 4, '0');
  keys text[] := ARRAY[week || '=' || type_key];
  word text;
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
  FOREACH word IN ARRAY regexp_split_to_array(name_key || E'\n' || places,
    '[\u0001-/:-@[-`{-\u00bf\u2000-\u206f\u3000-\u3003\u3008-\u3011\u30fb]+')
  LOOP
    IF char_length(word) >= 4 THEN
      keys := keys || (week || '~' || word);
    END IF;
  END LOOP;
  RETURN keys;
END $$;
