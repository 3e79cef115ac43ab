-- expand
-- Keeps the words of events that a node of the last release writes, too: it knows no event_word
-- (0021), and searches by word (`q`) missed its events.
CREATE FUNCTION keep_event_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_LEVEL = 'ROW' THEN
    INSERT INTO event_word (word)
      SELECT word FROM event_words(concat_ws(E'\n', NEW.name_key, NEW.location_key, NEW.city_key))
        AS word ORDER BY word COLLATE "C"
      ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO event_word (word)
      SELECT DISTINCT word COLLATE "C"
      FROM written, event_words(concat_ws(E'\n', name_key, location_key, city_key)) AS word
      ORDER BY 1
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;

-- By statement, in the order of words: two imports cannot deadlock.
CREATE TRIGGER event_words_of_inserted AFTER INSERT ON event
  REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION keep_event_words();
-- By row, because this is the kind that the ledger's updates of event.capacity do not fire.
CREATE TRIGGER event_words_of_updated AFTER UPDATE OF name_key, location_key, city_key ON event
  FOR EACH ROW
  WHEN ((OLD.name_key, OLD.location_key, OLD.city_key)
    IS DISTINCT FROM (NEW.name_key, NEW.location_key, NEW.city_key))
  EXECUTE FUNCTION keep_event_words();
