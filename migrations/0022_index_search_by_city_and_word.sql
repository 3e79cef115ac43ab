-- expand
-- no transaction
-- The indexes of searches by city and word (0021). Most events have no city_key.
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_by_city
  ON event (city_key, date, starts_at, id) INCLUDE (ends_at, type_key, name_key, location_key)
  WHERE city_key IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_by_week_city
  ON event USING gin (event_week_city(date, name_key, location_key, city_key, type_key))
  WITH (fastupdate = on, gin_pending_list_limit = 1024);
-- As for event_by_week_grams (0010): no plan follows from these statistics.
ALTER INDEX event_by_week_city ALTER COLUMN 1 SET STATISTICS 0;
