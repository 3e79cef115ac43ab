import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Client } from "pg";

export const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url));

/** Two nodes that start at once wait for each other here. Any number will do that nothing else in the project takes. */
const ADVISORY_LOCK = 7_206_215_533n;
const CONNECT_WITHIN_MS = 10_000;

export type Migration = { version: number; name: string; sql: string; checksum: string };

/** What keeps a database from being migrated: printed as it is, without a stack. */
export class MigrationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MigrationError";
  }
}

/** Reads NNNN_name.sql in order. Throws a MigrationError for a gap, a strange name, or a file that does not begin with its reason. */
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
        `migrations/${file} is number ${digits} but stands at place ${index + 1}`,
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
 * Brings a database to the code's schema, forward only, each file in its own transaction; two at once apply each file once.
 * Answers the names applied now. Throws a MigrationError where the database is newer than the code or an applied file was changed.
 */
export async function migrate(
  databaseUrl: string,
  migrations: readonly Migration[] = readMigrations(),
): Promise<string[]> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    application_name: "boxoffice migrate",
  });
  client.on("error", () => undefined); // A cut connection also fails the query in flight, which says so.
  await client.connect();
  try {
    // A long index build or a wait for the other node is not a fault.
    await client.query(
      "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
    );
    await client.query("SELECT pg_advisory_lock($1)", [ADVISORY_LOCK]);
    const applied = await readApplied(client);
    refuseWhatDiffers(applied, migrations);
    const pending = migrations.filter(({ version }) => !applied.has(version));
    for (const migration of pending) await apply(client, migration);
    return pending.map(labelOf);
  } finally {
    await client.end(); // Also gives the advisory lock back.
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

function refuseWhatDiffers(applied: Applied, migrations: readonly Migration[]): void {
  for (const [version, { name, checksum }] of applied) {
    const known = migrations.find((migration) => migration.version === version);
    const label = labelOf({ version, name });
    if (known === undefined)
      throw new MigrationError(
        `The database is newer than this code: it has migration ${label}, which is unknown here. Update the code; there is no way back.`,
      );
    if (known.checksum !== checksum)
      throw new MigrationError(
        `Migration ${label} was changed after it was applied (here ${labelOf(known)}). Restore the file and put the change into a new one.`,
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
      `Migration ${labelOf(migration)} failed and was taken back: ${reason}`,
    );
  }
}

function labelOf({ version, name }: { version: number; name: string }): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}
