import { type Client, type ClientConfig, escapeIdentifier, escapeLiteral } from "pg";
import { setRoleSettings } from "../../lib/database/session-settings.ts";
import { MigrationError } from "./migration-files.ts";
import { withClient } from "./with-client.ts";

/** How the roles beside the owner's sign in. A role that is the owner's needs nothing. */
export type RoleUrls = { engine?: string | undefined; backup?: string | undefined };

type Role = { name: string; password: string; url: string };

const CONNECT_TIMEOUT_MS = 10_000;
/** What says that a role is missing, has another password, or may not sign in. */
const NO_SIGN_IN = new Set(["28P01", "28000"]);
const EXISTS_ALREADY = new Set(["42710", "23505"]);
const NO_RIGHT = "42501";

/**
 * Gives the roles of engine and backups what they need, also in tables of later migrations, and no
 * more. Creates a role that cannot sign in, or sets its password. May be repeated. Throws a
 * MigrationError if the owner may not do that. See ADR-0071.
 */
export async function provideRoles(
  owner: Client,
  ownerUrl: string,
  { engine, backup }: RoleUrls,
): Promise<void> {
  const engineRole = otherRole(ownerUrl, engine);
  const backupRole = otherRole(ownerUrl, backup);
  if (engineRole !== undefined) {
    await enable(owner, engineRole, "");
    await withClient(asMigrator(engineRole.url), (client) => setRoleSettings(client));
    await inOneTransaction(owner, await engineGrants(owner, engineRole.name));
  }
  if (backupRole !== undefined) {
    await enable(owner, backupRole, "REPLICATION ");
    await inOneTransaction(owner, await backupGrants(owner, backupRole.name));
  }
}

/** The role of a URL at the owner's server, where no pooler is; undefined if it is the owner. */
function otherRole(ownerUrl: string, url: string | undefined): Role | undefined {
  const [own, other] = [new URL(ownerUrl), new URL(url ?? ownerUrl)];
  if (other.username === "" || other.username === own.username) return undefined;
  own.username = other.username;
  own.password = other.password;
  const [name, password] = [other.username, other.password].map(decodeURIComponent);
  return { name: name ?? "", password: password ?? "", url: own.href };
}

/** Makes sure that the role can sign in, and has the attribute. */
async function enable(owner: Client, role: Role, attribute: string): Promise<void> {
  const found = await owner.query<{ rolreplication: boolean }>(
    "SELECT rolreplication FROM pg_roles WHERE rolname = $1",
    [role.name],
  );
  const lacks = attribute !== "" && found.rows[0]?.rolreplication !== true;
  if (!lacks && (await canSignIn(role))) return;
  const name = escapeIdentifier(role.name);
  try {
    if (found.rowCount === 0)
      await owner.query(`CREATE ROLE ${name}`).catch((error: unknown) => {
        // Another database of the same server is migrated at the same moment.
        if (!EXISTS_ALREADY.has(codeOf(error))) throw error;
      });
    const password = escapeLiteral(role.password);
    await owner.query(`ALTER ROLE ${name} LOGIN ${attribute}PASSWORD ${password}`);
  } catch (error) {
    if (codeOf(error) !== NO_RIGHT) throw error;
    throw new MigrationError(
      `The role ${role.name} cannot sign in, and the role that migrates may not change that. ` +
        `Let an administrator run: CREATE ROLE ${name} LOGIN ${attribute}PASSWORD '…'`,
    );
  }
}

async function canSignIn({ url }: Role): Promise<boolean> {
  try {
    await withClient(asMigrator(url), () => Promise.resolve());
    return true;
  } catch (error) {
    if (NO_SIGN_IN.has(codeOf(error))) return false;
    throw error;
  }
}

/** DML in all tables but those of migrations and backups. No DDL. */
async function engineGrants(owner: Client, role: string): Promise<string[]> {
  const name = escapeIdentifier(role);
  const tables = `SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${name}`;
  const { rows } = await owner.query<{ database: string; version: number }>(
    `SELECT current_database() AS database,
       current_setting('server_version_num')::integer AS version`,
  );
  const { database = "", version = 0 } = rows[0] ?? {};
  return [
    `GRANT CONNECT ON DATABASE ${escapeIdentifier(database)} TO ${name}`,
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    `GRANT USAGE ON SCHEMA public TO ${name}`,
    `GRANT ${tables.replace("ON TABLES", "ON ALL TABLES IN SCHEMA public")}`,
    `REVOKE INSERT, UPDATE, DELETE ON schema_migration, backup_run FROM ${name}`,
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${name}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ${tables}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO ${name}`,
    // VACUUM after an import. Before PostgreSQL 17 only the owner may, and autovacuum does it.
    ...(version >= 170_000 ? [`GRANT MAINTAIN ON event TO ${name}`] : []),
  ];
}

/** The note of a backup. Only a superuser may let the role end a WAL file. */
async function backupGrants(owner: Client, role: string): Promise<string[]> {
  const name = escapeIdentifier(role);
  const { rowCount } = await owner.query(
    "SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper",
  );
  return [
    `GRANT USAGE ON SCHEMA public TO ${name}`,
    `GRANT SELECT, INSERT ON backup_run TO ${name}`,
    ...(rowCount === 0 ? [] : [`GRANT EXECUTE ON FUNCTION pg_switch_wal() TO ${name}`]),
  ];
}

/** Changes nothing for others until all of it holds. */
async function inOneTransaction(client: Client, statements: readonly string[]): Promise<void> {
  await client.query(["BEGIN", ...statements, "COMMIT"].join(";\n"));
}

function asMigrator(url: string): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "boxoffice migrate",
  };
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
