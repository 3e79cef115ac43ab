// A clone of the project on a laptop: an upgrade that begins with a backup, a rollback on the newer
// schema, and one that a contracting migration forbids.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openDatabase } from "../../lib/database/pool.ts";
import { migrate, readMigrations } from "../../tools/database/migrations.ts";
import { startServers } from "../../tools/dev-servers/servers.ts";
import { outsideEnvironment } from "../../tools/process/outside-environment.ts";
import { ROOT } from "../../tools/root.ts";
import { copyTree } from "../../tools/testing/mutated-copy.ts";
import { addConcert } from "../support/fixtures/event-rows.ts";
import { startProgram } from "../support/processes/boxoffice.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { addressIn, START_MS } from "../support/processes/start-command.ts";
import { waitFor } from "../support/wait-for.ts";

const IDENTITY = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];

describe("upgrade and rollback of a clone", () => {
  const { folder, remove } = temporaryFolder();
  const origin = join(folder, "origin");
  const laptop = join(folder, "laptop");
  const dataDir = join(folder, "data");
  const environment = { ...outsideEnvironment(), DATA_DIR: dataDir, PORT: "0" };
  const next = readMigrations().length + 1;
  after(remove);

  const git = (tree: string, ...words: string[]): string =>
    execFileSync("git", ["-C", tree, ...IDENTITY, ...words], { encoding: "utf8" }).trim();
  const head = (tree: string): string => git(tree, "rev-parse", "HEAD");
  const commitAll = (text: string): string => {
    git(origin, "add", "--all");
    git(origin, "commit", "--quiet", "--message", text);
    return head(origin);
  };
  const addMigration = (number: number, step: string, sql: string): string => {
    const file = join(origin, "migrations", `${String(number).padStart(4, "0")}_${step}.sql`);
    writeFileSync(file, `-- A test.\n-- ${step}\n${sql}\n`);
    return commitAll(step);
  };
  const launch = (...words: string[]) =>
    startProgram([process.execPath, join(laptop, "cli", "boxoffice.mjs"), ...words], environment, {
      cwd: laptop,
    });
  const run = async (...words: string[]): Promise<{ code: number | null; said: string }> => {
    const command = launch(...words);
    return { code: await command.ended, said: command.said() };
  };
  const onDatabase = async <T>(use: (url: string) => Promise<T>): Promise<T> => {
    const report = (): void => undefined;
    const servers = await startServers({ dataDir, only: ["postgres"], report, restart: false });
    try {
      return await use(servers.urls.DATABASE_URL ?? "");
    } finally {
      await servers.stop();
    }
  };
  /** What `npm start` of the laptop's code does to the schema. */
  const migrateThere = () =>
    onDatabase((url) => migrate(url, readMigrations(join(laptop, "migrations"))));
  const events = () =>
    onDatabase(async (url) => {
      const database = openDatabase(url, "long");
      const rows = await database.query({ text: "SELECT FROM event WHERE source = 'test'" });
      await database.close();
      return rows.length;
    });

  let first: string;
  before(async () => {
    copyTree(origin);
    git(origin, "init", "--quiet", "--initial-branch=main");
    first = commitAll("first");
    execFileSync("git", ["clone", "--quiet", origin, laptop]);
    symlinkSync(join(ROOT, "node_modules"), join(laptop, "node_modules"));
    await onDatabase(async (url) => {
      await migrate(url);
      const database = openDatabase(url, "long");
      await addConcert(database, { total: 10 });
      await database.close();
    });
  });

  it("backs up, and checks newer code out; goes back to it on the newer schema, and serves", async () => {
    const newer = addMigration(next, "expand", "CREATE TABLE later ();");
    const upgraded = await run("upgrade", "--no-start");
    assert.equal(upgraded.code, 0, upgraded.said);
    assert.match(upgraded.said, /is complete\n[^]*npx boxoffice rollback goes back/);
    assert.equal(head(laptop), newer);
    assert.match((await run("backup", "--list")).said, /\d{8}T\d{6}Z/);
    assert.match((await migrateThere()).join(), /_expand$/);

    appendFileSync(join(laptop, "README.md"), "mine\n");
    const refused = await run("rollback");
    assert.equal(refused.code, 1, refused.said);
    assert.match(refused.said, /differ from the revision:\nREADME\.md\n/);
    git(laptop, "checkout", "--quiet", "README.md");

    const engine = launch("rollback");
    await waitFor(() => addressIn(engine.said()), { withinMs: START_MS, what: "It serves" }).catch(
      (error: unknown) => assert.fail(`${String(error)}\n${engine.said()}`),
    );
    assert.match(engine.said(), /newer than this code, which does not need \d{4}_expand/);
    const busy = await run("upgrade");
    assert.deepEqual([busy.code, head(laptop)], [1, first], busy.said);
    assert.match(busy.said, /An engine runs on/);
    engine.child.kill("SIGTERM");
    assert.equal(await engine.ended, 0, engine.said());
    assert.equal(await events(), 1, "what was there is there");
  });

  it("goes back over no contracting migration, and names the way", async () => {
    const newest = addMigration(next + 1, "contract", "DROP TABLE later;");
    const upgraded = await run("upgrade", "--no-start");
    assert.deepEqual([upgraded.code, head(laptop)], [0, newest], upgraded.said);
    await migrateThere();
    const refused = await run("rollback");
    assert.deepEqual([refused.code, head(laptop)], [1, newest], refused.said);
    assert.match(
      refused.said,
      /cannot run on this database: migration \d{4}_contract says contract\. .* restore --to \d{4}-/,
    );
    assert.ok(existsSync(join(dataDir, "upgrade.json")));
  });
});
