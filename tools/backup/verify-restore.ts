import { join } from "node:path";
import { readConfig } from "../../config/index.ts";
import { startNode } from "../../main.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { OPERATOR } from "../demo/demo-catalog.ts";
import { type Part, reconcileAll } from "../engine/reconcile.ts";
import type { RunningServers } from "../dev-servers/servers.ts";

/** Unreachable on purpose: reconciling needs no queue, and RabbitMQ starts slowly. */
const NO_QUEUE = "amqp://none:none@127.0.0.1:9";
const POLL_MS = 50;
const REPLAY_TIMEOUT_MS = 3_600_000;

export type RestoreVerdict = {
  /**
   * Commit time of the last replayed transaction, by the lost server's clock. Undefined if no WAL
   * was needed.
   */
  lastTransactionAt: Date | undefined;
  purchases: number;
  /** Time of the newest purchase. */
  newestMs: number | null;
  /** One sentence per difference. Empty if the books agree. */
  differences: string[];
};

export type Purchases = { count: number; newestMs: number | null };

/** Counts purchases up to `until`. Includes cancelled ones, since a purchase record stays. */
export async function countPurchases(
  database: Database,
  until: string | undefined,
): Promise<Purchases> {
  const [found] = await database.query<Purchases>({
    text: `SELECT count(DISTINCT transaction_id)::integer AS count,
        (extract(epoch FROM max(purchased_at)) * 1000)::float8 AS "newestMs"
      FROM event_tickets WHERE purchased_at <= coalesce($1::timestamptz, 'infinity')`,
    values: [until ?? null],
  });
  return found ?? { count: 0, newestMs: null };
}

/**
 * Waits for the end of the WAL replay, then reconciles with a ledger that runs for this purpose
 * only. Books nothing.
 */
export async function verifyRestore(
  servers: RunningServers,
  dataDir: string,
): Promise<RestoreVerdict> {
  const { DATABASE_URL = "" } = servers.urls;
  const database = openDatabase(DATABASE_URL, "long");
  try {
    const lastTransactionAt = await replayEnd(database);
    const config = readConfig({
      ...servers.urls,
      AMQP_URL: NO_QUEUE,
      DATA_DIR: dataDir,
      SERVICES: "ledger",
      NODE_ID: "restore",
      LOG_LEVEL: "fatal",
      AUDIT_FILE: join(dataDir, "restore-audit.log"),
      BUS_NAMESPACE: "restore",
    });
    const node = await startNode(config);
    try {
      const meta = { token: createInternalTokenMint(config.internalTokenSecret)(OPERATOR) };
      const value = await reconcileAll(async (params) => {
        const options = { meta, timeout: 65_000 };
        return (
          await node.broker.call<{ value: Part }, object>("ledger.reconcile", params, options)
        ).value;
      });
      const { count, newestMs } = await countPurchases(database, undefined);
      const differences = value.differences
        .filter(({ mended }) => !mended)
        .map(({ sentence }) => sentence);
      if (value.more > 0) differences.push(`and ${value.more} more`);
      return { lastTransactionAt, purchases: count, newestMs, differences };
    } finally {
      await node.stop();
    }
  } finally {
    await database.close();
  }
}

async function replayEnd(database: Database): Promise<Date | undefined> {
  const endMs = performance.now() + REPLAY_TIMEOUT_MS;
  for (;;) {
    const [state] = await database
      .query<{ recovering: boolean; last: Date | null }>({
        text: "SELECT pg_is_in_recovery() AS recovering, pg_last_xact_replay_timestamp() AS last",
      })
      .catch(() => []);
    if (state?.recovering === false) return state.last ?? undefined;
    if (performance.now() > endMs)
      throw new Error("The restored server has not replayed its WAL within an hour");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
