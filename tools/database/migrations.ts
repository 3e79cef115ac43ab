import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { writableUrl } from "../../lib/database/hosts.ts";
import { setRoleSettings } from "../../lib/database/session-settings.ts";
import { compareApplied, note, noteSteps, readApplied } from "./applied-migrations.ts";
import { LOCK_TIMEOUT_MS, type Patience, waitForLocks } from "./lock-patience.ts";
import {
  concurrentIndexOf,
  isConcurrent,
  labelOf,
  type Migration,
  MigrationError,
  readMigrations,
  statementsOf,
} from "./migration-files.ts";
import { provideRoles, type RoleUrls } from "./roles.ts";

export { type Migration, MigrationError, readMigrations } from "./migration-files.ts";

/**
 * Serializes nodes that migrate at the same time. Any number that nothing else in the project
 * uses.
 */
const ADVISORY_LOCK = 7_206_215_533n;
const CONNECT_TIMEOUT_MS = 10_000;

/** For one migration: longer than any report, shorter than a night's full dump. */
const GIVE_UP_AFTER_MS = 600_000;
const OTHER_NODE_POLL_MS = 250;

export type MigrateOptions = {
  /** Takes lines of progress: what waits, for how long, and behind which session. */
  report?: (line: string) => void;
  /** Time in which one migration must get its locks. */
  giveUpAfterMs?: number;
  /** Roles beside the owner's, which get what they need. */
  roles?: RoleUrls;
};

/**
 * Migrates a database forward to the code's schema. Each file runs in its own transaction, or
 * statement by statement if it says so; concurrent calls apply each file once. Never makes a sale
 * wait for longer than LOCK_TIMEOUT_MS. Gives the role its time-outs in this database, and the
 * other `roles` their privileges. Returns the names applied now. Accepts a newer database if all
 * that is newer is `expand`. Throws a MigrationError otherwise, and if an applied file was changed.
 * See ADR-0106.
 */
export async function migrate(
  databaseUrl: string,
  migrations: readonly Migration[] = readMigrations(),
  options: MigrateOptions = {},
): Promise<string[]> {
  const { report = () => undefined, giveUpAfterMs = GIVE_UP_AFTER_MS, roles = {} } = options;
  const url = await writableUrl(databaseUrl);
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "boxoffice migrate",
  });
  client.on("error", () => undefined); // The query in flight fails too and reports the cause.
  await client.connect();
  try {
    // A long index build is no fault.
    await client.query(
      "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
    );
    await lockOut(client, report);
    const applied = await readApplied(client);
    const newer = compareApplied(applied, migrations);
    if (newer.length > 0)
      report(`the database is newer than this code, which does not need ${newer.join(", ")}`);
    await noteSteps(client, migrations);
    const pending = migrations.filter(({ version }) => !applied.has(version));
    for (const migration of pending) {
      const patience = waitForLocks(client, labelOf(migration), { report, giveUpAfterMs });
      await (migration.transaction ? apply : applyWithoutTransaction)(client, migration, patience);
    }
    await setRoleSettings(client);
    await provideRoles(client, url, roles);
    return pending.map(labelOf);
  } finally {
    // Also releases the advisory lock.
    await client.end();
  }
}

/**
 * Waits for other nodes that migrate. Polls: a session that waits in a statement has a snapshot,
 * and CREATE INDEX CONCURRENTLY of the other node would wait for that in turn.
 */
async function lockOut(client: Client, report: (line: string) => void): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const { rows } = await client.query<{ locked: boolean }>(
      "SELECT pg_try_advisory_lock($1) AS locked",
      [ADVISORY_LOCK],
    );
    if (rows[0]?.locked === true) return;
    if (tries === 0) report("waiting for another node that migrates");
    await wait(OTHER_NODE_POLL_MS);
  }
}

async function apply(client: Client, migration: Migration, patience: Patience): Promise<void> {
  try {
    await patience.retry(async () => {
      await client.query(`BEGIN; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await client.query(migration.sql);
      await note(client, migration);
      await client.query("COMMIT");
    });
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw failure(migration, "was rolled back", error);
  }
}

/** Runs each statement in autocommit. What fails half-way is repeated by the next call. */
async function applyWithoutTransaction(
  client: Client,
  migration: Migration,
  patience: Patience,
): Promise<void> {
  try {
    for (const statement of statementsOf(migration.sql)) {
      const index = concurrentIndexOf(statement);
      // A concurrent statement's locks let sales pass, so it may wait as long as it needs.
      const lockMs = isConcurrent(statement) ? patience.leftMs() : LOCK_TIMEOUT_MS;
      await patience.retry(async () => {
        if (index !== undefined) await dropInvalidIndex(client, index, patience.leftMs());
        await client.query(`SET lock_timeout = ${lockMs}`);
        await client.query(statement);
      });
    }
    await note(client, migration);
  } catch (error) {
    throw failure(migration, "stopped half-way; the next run repeats it", error);
  } finally {
    await client.query("SET lock_timeout = 0").catch(() => undefined);
  }
}

/** Removes what a failed CREATE INDEX CONCURRENTLY left: it is maintained, and never read. */
async function dropInvalidIndex(client: Client, name: string, lockMs: number): Promise<void> {
  const { rows } = await client.query<{ quoted: string }>(
    `SELECT format('%s', indexrelid::regclass) AS quoted
     FROM pg_index WHERE indexrelid = to_regclass(quote_ident($1)) AND NOT indisvalid`,
    [name],
  );
  for (const { quoted } of rows) {
    await client.query(`SET lock_timeout = ${lockMs}`);
    await client.query(`DROP INDEX CONCURRENTLY ${quoted}`);
  }
}

function failure(migration: Migration, state: string, error: unknown): MigrationError {
  const reason = error instanceof Error ? error.message : String(error);
  return new MigrationError(`Migration ${labelOf(migration)} failed and ${state}: ${reason}`);
}
