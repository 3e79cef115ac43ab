import type { Connection } from "../../lib/database/pool.ts";

/**
 * Counts the statements of this database that wait for a lock and whose text is LIKE `pattern`.
 * Other test files use the same server.
 */
export async function lockWaits(
  database: Pick<Connection, "query">,
  pattern = "%",
): Promise<number> {
  const text = `
    SELECT FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE $1 AND datname = current_database()`;
  return (await database.query({ text, values: [pattern] })).length;
}
