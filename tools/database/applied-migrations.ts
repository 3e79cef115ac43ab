import type { Client } from "pg";
import { labelOf, type Migration, MigrationError } from "./migration-files.ts";

/** The migrations that a database has, by version. `step`: null if its file did not say. */
type Applied = Map<number, { name: string; checksum: string; step: string | null }>;

/** Keeps rows away from releases that cannot read `step`. See ADR-0106. */
const ASIDE = "rolled_back";

/** Reads the table of migrations, which it creates if it is missing. */
export async function readApplied(client: Client): Promise<Applied> {
  await client.query(`CREATE TABLE IF NOT EXISTS schema_migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`);
  const { rows: missing } = await client.query<{ step: boolean; aside: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM pg_attribute
         WHERE attrelid = 'schema_migration'::regclass AND attname = 'step') AS step,
       to_regclass($1) IS NOT NULL AS aside`,
    [`${ASIDE}.schema_migration`],
  );
  // Databases of before ADR-0106 have none.
  if (missing[0]?.step === true)
    await client.query("ALTER TABLE schema_migration ADD COLUMN step text");
  if (missing[0]?.aside === true)
    await client.query(
      `BEGIN;
       INSERT INTO schema_migration SELECT * FROM ${ASIDE}.schema_migration ON CONFLICT DO NOTHING;
       DROP SCHEMA ${ASIDE} CASCADE;
       COMMIT`,
    );
  const { rows } = await client.query<{
    version: number;
    name: string;
    checksum: string;
    step: string | null;
  }>("SELECT version, name, checksum, step FROM schema_migration ORDER BY version");
  return new Map(rows.map(({ version, ...rest }) => [version, rest]));
}

/**
 * Throws a MigrationError for a file that was changed after it was applied, and for a database that
 * is newer than the code by more than `expand`. Returns what the database has beyond the code.
 */
export function compareApplied(applied: Applied, migrations: readonly Migration[]): string[] {
  const newer: string[] = [];
  for (const [version, { name, checksum, step }] of applied) {
    const known = migrations.find((migration) => migration.version === version);
    const label = labelOf({ version, name });
    if (known === undefined) {
      if (step !== "expand")
        throw new MigrationError(
          `The database is newer than this code: migration ${label} is unknown here, and ` +
            `${step === null ? "does not say that it only expands" : `says ${step}`}. Update the ` +
            "code, or restore the backup from before it: migrations cannot be undone.",
        );
      newer.push(label);
    } else if (known.checksum !== checksum)
      throw new MigrationError(
        `Migration ${label} was changed after it was applied (here ${labelOf(known)}). ` +
          "Restore the file and put the change into a new migration.",
      );
  }
  return newer;
}

/** Notes an applied migration, with the step that code without its file can read. */
export async function note(client: Client, migration: Migration): Promise<void> {
  const { version, name, checksum, step = null } = migration;
  await client.query(
    "INSERT INTO schema_migration (version, name, checksum, step) VALUES ($1, $2, $3, $4)",
    [version, name, checksum, step],
  );
}

/** Adds the steps to rows that releases of before ADR-0106 noted. */
export async function noteSteps(client: Client, migrations: readonly Migration[]): Promise<void> {
  await client.query(
    `UPDATE schema_migration AS applied SET step = known.step
     FROM unnest($1::integer[], $2::text[]) AS known (version, step)
     WHERE applied.version = known.version AND applied.step IS NULL AND known.step IS NOT NULL`,
    [migrations.map(({ version }) => version), migrations.map(({ step }) => step ?? null)],
  );
}

/**
 * Hides the migrations after `last` from a release of before ADR-0106, which starts on no newer
 * database. The next `readApplied` brings them back.
 */
export async function setAside(client: Client, last: number): Promise<void> {
  await client.query(
    `BEGIN;
     CREATE SCHEMA ${ASIDE};
     CREATE TABLE ${ASIDE}.schema_migration AS
       SELECT * FROM schema_migration WHERE version > ${last};
     DELETE FROM schema_migration WHERE version > ${last};
     COMMIT`,
  );
}
