import { join } from "node:path";
import { readConfig } from "../../config/index.ts";
import { startNode } from "../../main.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { OPERATOR } from "../demo/demo-catalog.ts";
import type { RunningServers } from "../dev-servers/servers.ts";

/** To be booked is to be changed: the ledger that judges has no queue, which spares it RabbitMQ's slow start. */
const NO_QUEUE = "amqp://nobody:nothing@127.0.0.1:9";
const LOOK_AGAIN_MS = 50;
const PLAYED_WITHIN_MS = 3_600_000;

export type Judgement = {
  /** Of the last transaction that was played, by the lost server's clock; undefined where no WAL was needed. */
  lastTransactionAt: Date | undefined;
  purchases: number;
  /** When the newest was made. */
  newestMs: number | null;
  /** In words; empty is the good answer. */
  differences: string[];
};

export type Purchases = { count: number; newestMs: number | null };

/** Cancelled ones too: a purchase is made for good. `until`: those made before that moment. */
export async function countPurchases(
  database: Database,
  until: string | undefined,
): Promise<Purchases> {
  const [found] = await database.query<Purchases>({
    text: `SELECT count(DISTINCT transaction_id)::integer AS count, (extract(epoch FROM max(purchased_at)) * 1000)::float8 AS "newestMs"
      FROM event_tickets WHERE purchased_at <= coalesce($1::timestamptz, 'infinity')`,
    values: [until ?? null],
  });
  return found ?? { count: 0, newestMs: null };
}

type Reconciliation = {
  ok: true;
  value: { differences: { sentence: string; mended: boolean }[]; more: number };
};

/** Waits until the restored server has played its WAL, then asks a ledger that runs on it, for this once, to compare everything. Books nothing. */
export async function judge(servers: RunningServers, dataDir: string): Promise<Judgement> {
  const { DATABASE_URL = "" } = servers.urls;
  const database = openDatabase(DATABASE_URL, "long");
  try {
    const lastTransactionAt = await whenPlayed(database);
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
      const { value } = await node.broker.call<Reconciliation, object>(
        "ledger.reconcile",
        {},
        { meta, timeout: 65_000 },
      );
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

async function whenPlayed(database: Database): Promise<Date | undefined> {
  const endMs = performance.now() + PLAYED_WITHIN_MS;
  for (;;) {
    const [state] = await database
      .query<{ playing: boolean; last: Date | null }>({
        text: "SELECT pg_is_in_recovery() AS playing, pg_last_xact_replay_timestamp() AS last",
      })
      .catch(() => []);
    if (state?.playing === false) return state.last ?? undefined;
    if (performance.now() > endMs)
      throw new Error("The restored server does not come to an end of its WAL");
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
