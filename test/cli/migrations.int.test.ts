import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Client } from "pg";
import { setAside } from "../../tools/database/applied-migrations.ts";
import { migrate, MigrationError } from "../../tools/database/migrations.ts";
import {
  type Migration,
  parseMigration,
  readMigrations,
  statementsOf,
} from "../../tools/database/migration-files.ts";
import { dumpSchema, SCHEMA_FILE } from "../../tools/database/schema-dump.ts";
import { emptyDatabase, freshDatabase } from "../support/database.ts";

/** A database must never be older, newer or other than the code that sells from it. */
describe("migrations", () => {
  const table = (version: number, name: string): Migration =>
    parseMigration(version, name, `-- why\nCREATE TABLE ${name} ();`);
  const one = table(1, "one");
  const two = table(2, "two");

  async function onEmpty(use: (url: string) => Promise<void>): Promise<void> {
    const database = await emptyDatabase();
    try {
      await use(database.url);
    } finally {
      await database.drop();
    }
  }

  async function rowsOf(url: string, text: string): Promise<unknown[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  it("applies what is new, in order, once", () =>
    onEmpty(async (url) => {
      assert.deepEqual(await migrate(url, [one]), ["0001_one"]);
      assert.deepEqual(await migrate(url, [one, two]), ["0002_two"]);
      assert.deepEqual(await migrate(url, [one, two]), []);
    }));

  it("applies each file once when several nodes start at once", () =>
    onEmpty(async (url) => {
      const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url, [one, two])));
      assert.deepEqual(applied.flat().sort(), ["0001_one", "0002_two"]);
    }));

  it("refuses a database that is newer than the code", () =>
    onEmpty(async (url) => {
      await migrate(url, [one, two]);
      await assert.rejects(
        migrate(url, [one]),
        (error) =>
          error instanceof MigrationError && /newer than this code.*0002_two/.test(error.message),
      );
    }));

  const step = (version: number, mark: string): Migration =>
    parseMigration(version, `step${version}`, `-- why\n-- ${mark}\nCREATE TABLE t${version} ();`);

  it("starts on a newer database if all that is newer is expand", () =>
    onEmpty(async (url) => {
      const lines: string[] = [];
      const options = { report: (line: string) => void lines.push(line) };
      await migrate(url, [one, step(2, "expand"), step(3, "expand")]);
      assert.deepEqual(await migrate(url, [one], options), []);
      assert.match(
        lines.join(),
        /newer than this code, which does not need 0002_step2, 0003_step3/,
      );
      await migrate(url, [one, step(2, "expand"), step(3, "expand"), step(4, "contract")]);
      await assert.rejects(
        migrate(url, [one, step(2, "expand")]),
        /newer than this code: migration 0004_step4 is unknown here, and says contract/,
      );
    }));

  it("notes the steps of migrations that an earlier release has applied", () =>
    onEmpty(async (url) => {
      await migrate(url, [one, step(2, "expand")]);
      // As a release of before the column left it.
      await rowsOf(url, "ALTER TABLE schema_migration DROP COLUMN step");
      await assert.rejects(migrate(url, [one]), /does not say that it only expands/);
      await migrate(url, [one, step(2, "expand")]);
      assert.deepEqual(await migrate(url, [one]), []);
    }));

  it("hides newer migrations from a release that starts on no newer database, and not for good", () =>
    onEmpty(async (url) => {
      const all = [one, step(2, "expand"), step(3, "contract")];
      const noted = "SELECT version, step FROM schema_migration ORDER BY version";
      await migrate(url, all);
      const before = await rowsOf(url, noted);
      const client = new Client({ connectionString: url });
      await client.connect();
      await setAside(client, 1);
      await client.end();
      assert.deepEqual(await rowsOf(url, noted), [{ version: 1, step: null }]);
      assert.deepEqual(await migrate(url, all), [], "nothing is applied twice");
      assert.deepEqual(await rowsOf(url, noted), before);
    }));

  it("refuses to call a migration expand that takes something away", () => {
    const expands = (sql: string, version = 20) =>
      parseMigration(version, "x", `-- why\n-- expand\n${sql}`);
    for (const sql of [
      "DROP TABLE event;",
      "ALTER TABLE event DROP COLUMN name;",
      "ALTER TABLE event ADD COLUMN a integer DEFAULT 1, DROP name;",
      "ALTER TABLE IF EXISTS event RENAME COLUMN name TO title;",
      "ALTER TABLE event RENAME TO events;",
      "ALTER TABLE event ALTER COLUMN name SET NOT NULL;",
      "ALTER TABLE event ALTER name TYPE integer;",
      "ALTER TABLE event ADD COLUMN price numeric(10, 2) NOT NULL;",
      "CREATE TABLE more (); TRUNCATE event;",
    ]) {
      assert.throws(
        () => expands(sql),
        /0020_x\.sql says expand, but nodes of the last release/,
        sql,
      );
      assert.equal(parseMigration(20, "x", `-- why\n-- contract\n${sql}`).step, "contract");
    }
    for (const sql of [
      "ALTER TABLE event ADD COLUMN price numeric(10, 2) NOT NULL DEFAULT 0, DROP CONSTRAINT c;",
      "ALTER TABLE event ALTER COLUMN name DROP NOT NULL;",
      "ALTER TABLE event ADD CONSTRAINT named CHECK (name IS NOT NULL) NOT VALID;",
      "CREATE TABLE more (id integer NOT NULL); DROP INDEX IF EXISTS event_by_name;",
      "INSERT INTO event_word (word) VALUES ('DROP TABLE event');",
    ])
      assert.equal(expands(sql).step, "expand", sql);
  });

  it("refuses a file that was changed after it was applied", () =>
    onEmpty(async (url) => {
      await migrate(url, [one]);
      await assert.rejects(
        migrate(url, [{ ...one, checksum: "other" }, two]),
        /0001_one was changed/,
      );
      assert.deepEqual(
        await migrate(url, [one, two]),
        ["0002_two"],
        "nothing of the refused run was applied",
      );
    }));

  it("takes a failing file back as a whole and keeps those before it", () =>
    onEmpty(async (url) => {
      const broken = { ...two, sql: "-- why\nCREATE TABLE half (); SELECT 1 / 0;" };
      await assert.rejects(
        migrate(url, [one, broken]),
        /0002_two failed and was rolled back: division by zero/,
      );
      assert.deepEqual(
        await rowsOf(url, "SELECT to_regclass('half') AS half, to_regclass('one')::text AS one"),
        [{ half: null, one: "one" }],
      );
    }));

  it("has a reason in the first line of every file, and numbers without a gap", () => {
    assert.ok(readMigrations().length > 0);
  });

  it("says expand or contract in every file", () => {
    for (const { name, step } of readMigrations()) assert.ok(step !== undefined, name);
    assert.throws(() => parseMigration(20, "both", "-- why\n-- expand\n-- contract\n"), /once/);
  });

  it("keeps the checksums of files that were applied before they said so", () => {
    const first = readMigrations().slice(0, 10);
    assert.equal(
      createHash("sha256")
        .update(first.map(({ checksum }) => checksum).join())
        .digest("hex"),
      "79e192111a75a4948e0cff8435c9bf436f292b91892fbe2a42921c45d6495d45",
    );
    const changed = parseMigration(1, "one", `${one.sql} -- expand`);
    assert.notEqual(changed.checksum, one.checksum, "only the head is left out");
  });

  const BUILD = "-- why\n-- expand\n-- no transaction\n";
  const unique = parseMigration(
    3,
    "unique",
    `${BUILD}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one_value ON one (value);`,
  );

  it("builds an index CONCURRENTLY while several nodes start at once", () =>
    onEmpty(async (url) => {
      const column = parseMigration(2, "value", "-- why\nALTER TABLE one ADD value integer;");
      const files = [one, column, unique];
      const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(url, files)));
      assert.deepEqual(applied.flat().sort(), ["0001_one", "0002_value", "0003_unique"]);
    }));

  it("drops the invalid index of a failed build before it builds again", () =>
    onEmpty(async (url) => {
      const values = parseMigration(
        2,
        "values",
        "-- why\nALTER TABLE one ADD value integer; INSERT INTO one VALUES (1), (1);",
      );
      const valid =
        "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'one_value'::regclass";
      const files = [one, values, unique];
      await assert.rejects(migrate(url, files), /0003_unique failed and stopped half-way.*unique/);
      assert.deepEqual(await rowsOf(url, valid), [{ valid: false }], "as PostgreSQL leaves it");
      await rowsOf(url, "DELETE FROM one");
      assert.deepEqual(await migrate(url, files), ["0003_unique"]);
      assert.deepEqual(await rowsOf(url, valid), [{ valid: true }]);
    }));

  it("gives up after the stated time, and names the session in its way", () =>
    onEmpty(async (url) => {
      await migrate(url, [one]);
      const holder = new Client({ connectionString: url, application_name: "a long report" });
      await holder.connect();
      await holder.query("SET idle_in_transaction_session_timeout = 0; BEGIN; TABLE one");
      const lines: string[] = [];
      const change = parseMigration(2, "value", "-- why\nALTER TABLE one ADD value integer;");
      const patient = { report: (line: string) => void lines.push(line), giveUpAfterMs: 1_500 };
      await assert.rejects(
        migrate(url, [one, change], patient),
        /0002_value failed and was rolled back: no lock within 2 s; .*\(a long report\) for \d+ s/,
      );
      assert.match(lines[0] ?? "", /^migration 0002_value waits for a lock: try 1, 0 s of 2 s/);
      await holder.end();
      assert.deepEqual(await migrate(url, [one, change], patient), ["0002_value"]);
    }));

  it("refuses a file without a transaction that cannot be repeated", () => {
    const refused = (sql: string) => assert.throws(() => parseMigration(20, "x", BUILD + sql));
    refused("CREATE INDEX CONCURRENTLY i ON one (value);");
    refused("BEGIN; SELECT 1;");
  });

  it("splits statements at the semicolons between them only", () => {
    assert.deepEqual(
      statementsOf(`-- a; b
        SELECT ';', "a;b" /* ; */ ; DO $x$ BEGIN NULL; END $x$;
        SELECT 1 / 2 - 3, 'it''s;'`),
      [`SELECT ';', "a;b"`, "DO $x$ BEGIN NULL; END $x$", "SELECT 1 / 2 - 3, 'it''s;'"],
    );
  });

  it("agrees with migrations/schema.sql (npx boxoffice migrate --dump)", async () => {
    const database = await freshDatabase();
    try {
      assert.equal(await dumpSchema(database.url), readFileSync(SCHEMA_FILE, "utf8"));
    } finally {
      await database.drop();
    }
  });
});
