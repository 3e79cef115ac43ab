import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Client } from "pg";
import {
  migrate,
  MigrationError,
  readMigrations,
  type Migration,
} from "../../tools/database/migrations.ts";
import { dumpSchema, SCHEMA_FILE } from "../../tools/database/schema-dump.ts";
import { emptyDatabase, freshDatabase } from "../support/database.ts";

/** A database must never be older, newer or other than the code that sells from it. */
describe("migrations", () => {
  const table = (version: number, name: string): Migration => ({
    version,
    name,
    sql: `-- why\nCREATE TABLE ${name} ();`,
    checksum: `of ${name}`,
  });
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
      const client = new Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query(
        "SELECT to_regclass('half') AS half, to_regclass('one')::text AS one",
      );
      await client.end();
      assert.deepEqual(rows, [{ half: null, one: "one" }]);
    }));

  it("has a reason in the first line of every file, and numbers without a gap", () => {
    assert.ok(readMigrations().length > 0);
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
