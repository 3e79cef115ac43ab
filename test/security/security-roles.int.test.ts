// The roles of PostgreSQL: what the engine's and the backups' may do, and what they may not.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Client, escapeIdentifier } from "pg";
import { migrate, MigrationError, readMigrations } from "../../tools/database/migrations.ts";
import { emptyDatabase, type FreshDatabase } from "../support/database.ts";

/** SQLSTATE of PostgreSQL for a missing privilege. */
const DENIED = "42501";

describe("roles of PostgreSQL", () => {
  const suffix = randomBytes(4).toString("hex");
  const names = { engine: `engine_${suffix}`, backup: `backup_${suffix}` };
  let database: FreshDatabase;
  let owner: Client;
  let engine: Client;
  let backup: Client;

  const urlOf = (name: string, password = "a password / with signs"): string => {
    const url = new URL(database.url);
    url.username = name;
    url.password = encodeURIComponent(password);
    return url.href;
  };
  const connected = async (url: string, more: object = {}): Promise<Client> => {
    const client = new Client({ connectionString: url, ...more });
    await client.connect();
    return client;
  };
  const roles = () => ({ engine: urlOf(names.engine), backup: urlOf(names.backup) });
  const denied = async (client: Client, ...statements: string[]): Promise<void> => {
    for (const text of statements)
      await assert.rejects(client.query(text), { code: DENIED }, `is not refused: ${text}`);
  };

  before(async () => {
    database = await emptyDatabase();
    await migrate(database.url, readMigrations(), { roles: roles() });
    owner = await connected(database.url);
    [engine, backup] = await Promise.all([connected(roles().engine), connected(roles().backup)]);
  });
  after(async () => {
    await Promise.all([engine.end(), backup.end()]);
    for (const name of Object.values(names))
      await owner.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
    await owner.end();
    await database.drop();
  });

  it("S33: the engine's role is no superuser, and changes rows but no schema, role or note of migrations", async () => {
    const { rows } = await engine.query(
      `SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS more,
         (SELECT count(*) FROM pg_auth_members WHERE member = pg_roles.oid)::integer AS groups
       FROM pg_roles WHERE rolname = current_user`,
    );
    assert.deepEqual(rows, [{ more: false, groups: 0 }]);
    await denied(
      engine,
      "CREATE TABLE more (id integer)",
      "ALTER TABLE event ADD COLUMN more integer",
      "DROP TABLE event_tickets",
      "TRUNCATE capacity_ledger",
      "CREATE INDEX ON event (name)",
      "ALTER TABLE event_tickets DISABLE TRIGGER ALL",
      "CREATE ROLE more",
      "DELETE FROM schema_migration",
      "UPDATE schema_migration SET checksum = ''",
      "INSERT INTO backup_run (name) VALUES ('20260101T000000Z')",
      "SELECT rolpassword FROM pg_authid",
      "SELECT pg_read_file('PG_VERSION')",
      "COPY event TO PROGRAM 'cat'",
    );
    const tables = await owner.query<{ name: string; complete: boolean }>(
      `SELECT relname AS name, has_table_privilege($1, oid, 'SELECT')
         AND has_table_privilege($1, oid, 'INSERT') AND has_table_privilege($1, oid, 'UPDATE')
         AND has_table_privilege($1, oid, 'DELETE') AS complete
       FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
       ORDER BY relname`,
      [names.engine],
    );
    assert.deepEqual(
      tables.rows.filter(({ complete }) => !complete).map(({ name }) => name),
      ["backup_run", "schema_migration"],
    );
  });

  it("uses tables of later migrations, partitioned ones too, without another grant", async () => {
    await owner.query(`CREATE TABLE later (id bigserial, place integer) PARTITION BY HASH (place);
      CREATE TABLE later_0 PARTITION OF later FOR VALUES WITH (MODULUS 1, REMAINDER 0)`);
    await engine.query("INSERT INTO later (place) VALUES (1)");
    await engine.query("UPDATE later SET place = 2");
    const { rowCount } = await engine.query("DELETE FROM later WHERE place = 2");
    assert.equal(rowCount, 1);
    await owner.query("DROP TABLE later");
  });

  it("S33: the role of backups reads what pg_basebackup reads, and no table of customers", async () => {
    await denied(
      backup,
      "SELECT FROM user_account",
      "SELECT FROM event_tickets",
      "DELETE FROM event",
      "DELETE FROM backup_run",
      "CREATE TABLE more (id integer)",
      "CREATE ROLE more",
    );
    const { rows } = await backup.query(
      "SELECT rolsuper, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = current_user",
    );
    assert.deepEqual(rows, [{ rolsuper: false, rolcreaterole: false, rolreplication: true }]);
    await backup.query("INSERT INTO backup_run (name) VALUES ('20260102T000000Z')");
    const replica = await connected(roles().backup, { replication: "true" });
    try {
      const system = await replica.query<{ systemid: string }>("IDENTIFY_SYSTEM");
      assert.match(system.rows[0]?.systemid ?? "", /^\d+$/);
    } finally {
      await replica.end();
    }
  });

  it("creates the roles once, gives a changed password, and keeps the grants", async () => {
    const changed = urlOf(names.engine, "another");
    await migrate(database.url, readMigrations(), { roles: { engine: changed } });
    const again = await connected(changed);
    await again.query("SELECT FROM event");
    await again.end();
    await migrate(database.url, readMigrations(), { roles: roles() });
    await engine.query("SELECT FROM event");
  });

  it("works with one role, as before there were more", async () => {
    const one = { engine: database.url, backup: database.url };
    assert.deepEqual(await migrate(database.url, readMigrations(), { roles: one }), []);
  });

  it("says what an administrator must run where the owner may create no role", async () => {
    const name = `owner_${suffix}`;
    const url = urlOf(name);
    await owner.query(`CREATE ROLE ${name} LOGIN PASSWORD 'a password / with signs'`);
    await owner.query(`GRANT CREATE ON DATABASE ${escapeIdentifier(new URL(url).pathname.slice(1))} TO ${name};
      GRANT ALL ON SCHEMA public TO ${name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name}`);
    try {
      await assert.rejects(
        migrate(url, readMigrations(), { roles: { engine: urlOf(`no_${suffix}`) } }),
        (error) =>
          error instanceof MigrationError &&
          error.message.includes(`Let an administrator run: CREATE ROLE "no_${suffix}" LOGIN`),
      );
    } finally {
      await owner.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
    }
  });
});
