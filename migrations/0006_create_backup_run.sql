-- Full backups that ended well, written by the script that makes them: a restored database knows which one it came from, and metrics tell when there are none.
-- expand
CREATE TABLE backup_run (
  name text PRIMARY KEY,
  ended_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
