-- expand
-- no transaction
-- The picture of an event: its address in the feed, and what is kept of it ({"hash", "width",
-- "height"}, pixels of the large file). Null: none. The files are under DATA_DIR/images. The index
-- finds files that no event uses. A node of the last release shows none. See ADR-0101.
ALTER TABLE event ADD COLUMN IF NOT EXISTS image_url text, ADD COLUMN IF NOT EXISTS image jsonb;
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_by_image
  ON event ((image ->> 'hash')) WHERE image IS NOT NULL;
