import { withTimeout } from "../concurrency/clock.ts";
import { shareReading } from "../concurrency/shared-reading.ts";
import type { Database } from "./pool.ts";
import { isDiskFull, noteRoom } from "./server-troubles.ts";

/** `read-only`: a standby, or `default_transaction_read_only`. `away`: no answer in time. */
export type ServerState = "writable" | "read-only" | "disk-full" | "away";

/** A server that takes longer is away. */
const LOOK_TIMEOUT_MS = 1_000;
/** A state is reused for this long, so that probes and scrapes share a statement. */
const FRESH_MS = 500;

const LOOK = {
  text: `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "readOnly"`,
};

/** Needs a temporary file of about a megabyte, so it fails while the disk is full. */
const SPILL = [
  { text: "SET LOCAL work_mem = '64kB'" },
  {
    text: `
      SELECT count(*) FROM (
        SELECT number FROM generate_series(1, 50000) AS number ORDER BY number DESC OFFSET 0
      ) AS sorted`,
  },
];

/**
 * Returns a function that says whether PostgreSQL takes writes. It never rejects, and answers
 * within a second. Whether the disk is full is known from refused statements; only then does a look
 * try to write.
 */
export function createServerLook(database: Database, url: string): () => Promise<ServerState> {
  const look = async (): Promise<ServerState> => {
    try {
      const [row] = await database.query<{ readOnly: boolean }>(LOOK);
      if (row?.readOnly !== false) return row === undefined ? "away" : "read-only";
      if (!isDiskFull(url)) return "writable";
      await database.transaction(async (connection) => {
        for (const statement of SPILL) await connection.query(statement);
      });
      noteRoom(url);
      return "writable";
    } catch {
      return isDiskFull(url) ? "disk-full" : "away";
    }
  };
  return shareReading(look, FRESH_MS, async (looking) => {
    return (await withTimeout(looking, LOOK_TIMEOUT_MS)) ?? "away";
  });
}
