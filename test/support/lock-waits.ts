import type { Connection } from "../../lib/database/pool.ts";

/** How many statements wait for somebody's lock in this database, of those whose text is LIKE `pattern`: other files' tests are on the same server. */
export async function lockWaits(
  database: Pick<Connection, "query">,
  pattern = "%",
): Promise<number> {
  const text =
    "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1 AND datname = current_database()";
  return (await database.query({ text, values: [pattern] })).length;
}
