import type { Connection } from "../../lib/database/pool.ts";
import { waitFor } from "./wait-for.ts";

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

/**
 * Waits until no transaction of another database writes. Each snapshot is as old as the server's
 * oldest writing transaction, and old versions of rows stay on their page until it has ended.
 */
export async function untilOthersHaveWritten(database: Pick<Connection, "query">): Promise<void> {
  const text = `
    SELECT FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND datname IS DISTINCT FROM current_database()`;
  await waitFor(async () => (await database.query({ text })).length === 0, {
    withinMs: 60_000,
    what: "Other test files end their transactions",
  });
}
