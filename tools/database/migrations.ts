import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Client } from "pg";

export const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url));

/**
 * Serializes nodes that migrate at the same time. Any number that nothing else in the project
 * uses.
 */
const ADVISORY_LOCK = 7_206_215_533n;
const CONNECT_TIMEOUT_MS = 10_000;

export type Migration = { version: number; name: string; sql: string; checksum: string };

/** Expected failure of a migration. Its message is printed without a stack. */
export class MigrationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MigrationError";
  }
}

/**
 * Reads NNNN_name.sql in order. Throws a MigrationError for a gap, a wrong name, or a missing
 * comment.
 */
export function readMigrations(folder: string = MIGRATIONS_FOLDER): Migration[] {
  const files = readdirSync(folder).filter(
    (file) => file.endsWith(".sql") && file !== "schema.sql",
  );
  return files.sort().map((file, index) => {
    const [, digits, name] = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file) ?? [];
    const sql = readFileSync(`${folder}/${file}`, "utf8");
    if (digits === undefined || name === undefined)
      throw new MigrationError(`migrations/${file} is not named NNNN_name.sql`);
    if (Number(digits) !== index + 1)
      throw new MigrationError(
        `migrations/${file} has number ${digits}, but is file ${index + 1} in order`,
      );
    if (!/^-- \S/.test(sql))
      throw new MigrationError(`migrations/${file} must begin with a comment that says why`);
    return {
      version: index + 1,
      name,
      sql,
      checksum: createHash("sha256").update(sql).digest("hex"),
    };
  });
}

/**
 * Migrates a database forward to the code's schema. Each file runs in its own transaction;
 * concurrent calls apply each file once. Returns the names applied now. Throws a MigrationError
 * if the database is newer than the code or an applied file was changed.
 */
export async function migrate(
  databaseUrl: string,
  migrations: readonly Migration[] = readMigrations(),
): Promise<string[]> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "boxoffice migrate",
  });
  client.on("error", () => undefined); // The query in flight fails too and reports the cause.
  await client.connect();
  try {
    // A long index build or a wait for another node is no fault.
    await client.query(
      "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
    );
    await client.query("SELECT pg_advisory_lock($1)", [ADVISORY_LOCK]);
    const applied = await readApplied(client);
    rejectDifferences(applied, migrations);
    const pending = migrations.filter(({ version }) => !applied.has(version));
    for (const migration of pending) await apply(client, migration);
    return pending.map(labelOf);
  } finally {
    // Also releases the advisory lock.
    await client.end();
  }
}

type Applied = Map<number, { name: string; checksum: string }>;

async function readApplied(client: Client): Promise<Applied> {
  await client.query(`CREATE TABLE IF NOT EXISTS schema_migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`);
  const { rows } = await client.query<{ version: number; name: string; checksum: string }>(
    "SELECT version, name, checksum FROM schema_migration ORDER BY version",
  );
  return new Map(rows.map(({ version, ...rest }) => [version, rest]));
}

function rejectDifferences(applied: Applied, migrations: readonly Migration[]): void {
  for (const [version, { name, checksum }] of applied) {
    const known = migrations.find((migration) => migration.version === version);
    const label = labelOf({ version, name });
    if (known === undefined)
      throw new MigrationError(
        `The database is newer than this code: migration ${label} is unknown here. ` +
          "Update the code; migrations cannot be undone.",
      );
    if (known.checksum !== checksum)
      throw new MigrationError(
        `Migration ${label} was changed after it was applied (here ${labelOf(known)}). ` +
          "Restore the file and put the change into a new migration.",
      );
  }
}

async function apply(client: Client, migration: Migration): Promise<void> {
  try {
    await client.query("BEGIN");
    await client.query(migration.sql);
    await client.query(
      "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)",
      [migration.version, migration.name, migration.checksum],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationError(
      `Migration ${labelOf(migration)} failed and was rolled back: ${reason}`,
    );
  }
}

function labelOf({ version, name }: { version: number; name: string }): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}
