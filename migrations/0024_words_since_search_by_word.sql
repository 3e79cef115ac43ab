-- expand
-- no transaction
-- The words of events that were written between 0021 and the triggers of 0023.
INSERT INTO event_word (word)
  SELECT DISTINCT word COLLATE "C"
  FROM event, event_words(concat_ws(E'\n', name_key, location_key, city_key)) AS word
  ON CONFLICT DO NOTHING;
