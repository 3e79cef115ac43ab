import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Client } from "pg";
import { migrate, readMigrations } from "../../tools/database/migrations.ts";
import { setRoleSettings } from "../../lib/database/session-settings.ts";
import { engineRoleUrl, serverUrls } from "./processes/servers.ts";
import { waitFor } from "./wait-for.ts";

/** `url`: by the schema's owner, a superuser. */
export type FreshDatabase = { url: string; drop(): Promise<void> };
/** `engineUrl`: by the engine's role, which nodes have. */
export type MigratedDatabase = FreshDatabase & { engineUrl: string };

/** Advisory lock: one builder of the template at a time, also across concurrent test files. */
const TEMPLATE_LOCK = 7_206_215_534n;

const PARTITION_SALES = new URL("../../tools/database/partition-sales.sql", import.meta.url);
let partitioned = false;

/** From now on `freshDatabase` returns copies in which the tables of sales are partitioned. */
export function partitionCopies(): void {
  partitioned = true;
}

/** Copies a migrated, empty database for one test file from a template named by its migrations. */
export async function freshDatabase(): Promise<MigratedDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  await asAdministrator(async (client) => {
    const template = await ensureTemplate(client);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    // A copy of a database has no settings of roles.
    await setRoleSettings(client, { database: name });
    await setRoleSettings(client, { database: name, role: new URL(engineUrlOf(name)).username });
  });
  if (partitioned) await partitionSales(urlOf(name));
  return { url: urlOf(name), engineUrl: engineUrlOf(name), drop: () => drop(name) };
}

/** Runs the procedure of ADR-0057 as an operator would. */
export async function partitionSales(url: string): Promise<void> {
  await asAdministrator((client) => client.query(readFileSync(PARTITION_SALES, "utf8")), url);
}

/** An empty database without any schema, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  await asAdministrator((client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  return { url: urlOf(name), drop: () => drop(name) };
}

/**
 * Runs `work` while autovacuum is stopped. Its ANALYZE of any table, also of a catalog, holds a
 * snapshot: pages keep old versions of rows, and VACUUM marks none as visible to all. It can be
 * stopped for the whole server only.
 */
export async function withoutAutovacuum(work: () => Promise<unknown>): Promise<void> {
  await asAdministrator(async (client) => {
    await client.query("ALTER SYSTEM SET autovacuum = off");
    try {
      await client.query("SELECT pg_reload_conf()");
      await waitFor(async () => {
        const { rowCount } = await client.query(
          "SELECT FROM pg_stat_activity WHERE backend_type LIKE 'autovacuum%'",
        );
        return rowCount === 0;
      });
      await work();
    } finally {
      await client.query("ALTER SYSTEM RESET autovacuum");
      await client.query("SELECT pg_reload_conf()");
    }
  });
}

function drop(name: string): Promise<void> {
  return asAdministrator((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

async function ensureTemplate(client: Client): Promise<string> {
  const migrations = readMigrations();
  const hash = createHash("sha256").update(migrations.map(({ checksum }) => checksum).join());
  const template = `template_${hash.digest("hex").slice(0, 16)}`;
  await client.query("SELECT pg_advisory_lock($1)", [TEMPLATE_LOCK]);
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [template]);
  if (rowCount === 0) {
    // Migrated under another name: a run that dies half-way leaves no template that looks complete.
    const unfinished = `${template}_unfinished`;
    await client.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${unfinished} TEMPLATE template0`);
    const roles = { engine: engineUrlOf(unfinished) };
    await migrate(urlOf(unfinished), migrations, { roles });
    await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`);
  }
  // The lock is held until this client closes: PostgreSQL copies only an unused template.
  return template;
}

async function asAdministrator(
  use: (client: Client) => Promise<unknown>,
  url = urlOf("postgres"),
): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: 60_000,
  });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(serverUrls().DATABASE_URL);
  url.pathname = `/${database}`;
  return url.href;
}

/** The same database by the engine's role. */
export function engineUrlOf(database: string): string {
  const url = new URL(engineRoleUrl());
  url.pathname = `/${database}`;
  return url.href;
}
