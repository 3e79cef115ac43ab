-- The catalogue: what can be sold, when, where, and how much of it is left.
-- `capacity` is what is left as the ledger has booked it; the CHECK is the last line against overselling.
-- expand
CREATE TABLE event (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  name_key text NOT NULL,
  type text NOT NULL,
  type_key text NOT NULL,
  location text NOT NULL,
  location_key text NOT NULL,
  country text,
  url text,
  date date NOT NULL,
  start_time time NOT NULL,
  end_time time NOT NULL,
  duration integer NOT NULL CHECK (duration >= 0),
  time_zone text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  total_capacity integer NOT NULL CHECK (total_capacity >= 0),
  capacity integer NOT NULL,
  source text NOT NULL,
  source_id text NOT NULL,
  CONSTRAINT event_capacity_within_total CHECK (0 <= capacity AND capacity <= total_capacity),
  CONSTRAINT event_ends_after_start CHECK (ends_at >= starts_at),
  CONSTRAINT event_source_key UNIQUE (source, source_id)
);
