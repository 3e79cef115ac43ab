// Restores: a full backup and the WAL after it bring back all sales before a moment and none
// after it, in a fresh server beside the engine and in place of the lost one, where sales
// continue under newer epochs. Encrypted backups need their key.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { processEnvironment, readConfig } from "../../config/index.ts";
import { type RunningNode, startNode } from "../../main.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { writeEngineFile } from "../../tools/engine/engine-file.ts";
import { migrate, readMigrations } from "../../tools/database/migrations.ts";
import { findBinaries } from "../../tools/dev-servers/binaries.ts";
import { openToServers } from "../../tools/dev-servers/data-folders.ts";
import { type RunningServers, startServers } from "../../tools/dev-servers/servers.ts";
import { outsideEnvironment } from "../../tools/process/outside-environment.ts";
import { fileURLToPath } from "node:url";
import { addConcert } from "../support/fixtures/event-rows.ts";
import { runBoxoffice, startProgram } from "../support/processes/boxoffice.ts";
import { waitFor } from "../support/wait-for.ts";

/** A command of ours on a data folder; nothing of this run's servers is known to it. */
async function run(
  dataDir: string,
  ...words: string[]
): Promise<{ code: number | null; output: string }> {
  const environment = { ...outsideEnvironment(), DATA_DIR: dataDir };
  const { code, out, error } = await runBoxoffice(environment, words);
  return { code, output: out + error };
}

describe("backups", () => {
  let dataDir: string;
  let servers: RunningServers;
  let node: RunningNode;
  let database: Database;
  let eventId: string;
  let forget: () => void = () => undefined;

  /** An engine as `npm start` makes it, of the services that sell and book. */
  async function start(): Promise<void> {
    servers = await startServers({ dataDir, report: () => undefined, restart: false });
    const { DATABASE_URL = "", REDIS_URL = "", AMQP_URL = "", TRANSPORTER = "" } = servers.urls;
    const { BACKUP_DATABASE_URL: backup, DATABASE_URL: engine = "" } = servers.roleUrls;
    await migrate(DATABASE_URL, readMigrations(), { roles: { engine, backup } });
    const config = readConfig({
      ...servers.urls,
      DATABASE_URL: engine,
      DATA_DIR: dataDir,
      SERVICES: "purchasing,ledger",
      NODE_ID: "seller",
      LOG_LEVEL: "fatal",
      AUDIT_FILE: join(dataDir, "audit.log"),
    });
    node = await startNode(config);
    database = openDatabase(DATABASE_URL, "long");
    forget = writeEngineFile(dataDir, {
      nodeId: "seller",
      address: undefined,
      urls: { DATABASE_URL: engine, REDIS_URL, AMQP_URL, TRANSPORTER },
      backupUrl: backup,
      prometheusUrl: undefined,
    });
  }
  async function stop(): Promise<void> {
    forget();
    await node.stop();
    await database.close();
    await servers.stop();
  }
  async function buy(times: number): Promise<void> {
    const mint = createInternalTokenMint(readConfig({ DATA_DIR: dataDir }).internalTokenSecret);
    for (let time = 0; time < times; time += 1) {
      const order = { eventId, quantity: 1, key: randomUUID() };
      const userId = randomUUID();
      // A busy machine may refuse it with TRY_AGAIN. The key makes a repetition safe.
      const sell = async (): Promise<boolean> => {
        const meta = { token: mint({ userId, role: "customer" }) };
        const call = node.broker.call<{ ok: boolean }, object>("purchasing.buy", order, { meta });
        return (await call).ok;
      };
      await waitFor(sell, { withinMs: 30_000, what: "A ticket is sold" });
    }
  }
  const one = async <T>(text: string): Promise<T> =>
    (await database.query<{ value: T }>({ text }))[0]?.value as T;
  const tickets = (): Promise<number> =>
    one<number>("SELECT count(*)::integer AS value FROM event_tickets");
  const epoch = (): Promise<number> =>
    one<number>("SELECT epoch::float8 AS value FROM event_worker");

  before(async () => {
    dataDir = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-backup-")));
    await start();
    eventId = await addConcert(database, { total: 100 });
  });
  after(async () => {
    await stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("bring back every sale from before a moment, and none after it", async () => {
    await buy(3);
    const made = await run(dataDir, "backup");
    assert.equal(made.code, 0, made.output);
    assert.match(made.output, /^\d{8}T\d{6}Z is complete/m);
    assert.equal(await one("SELECT count(*)::integer AS value FROM backup_run"), 1);
    await buy(4);
    // A recovery starts a second after the backup's end at the earliest.
    const moment = await waitFor(
      () =>
        one<string | null>(
          `SELECT CASE WHEN clock_timestamp() > max(ended_at) + interval '2 s'
            THEN clock_timestamp()::text END AS value FROM backup_run`,
        ),
      { withinMs: 10_000 },
    );
    const to = new Date(moment).toISOString();
    await waitFor(() =>
      one<boolean>(`SELECT clock_timestamp() > '${to}'::timestamptz + interval '50 ms' AS value`),
    );
    await buy(5);
    await database.query({ text: "SELECT pg_switch_wal()" });
    await waitFor(
      () =>
        one<boolean>(
          `SELECT last_archived_time > (SELECT max(purchased_at) FROM event_tickets) AS value
          FROM pg_stat_archiver`,
        ),
      { withinMs: 20_000, what: "The WAL is archived" },
    );
    const drill = await run(dataDir, "restore", "--drill", "--to", to);
    assert.equal(drill.code, 0, drill.output);
    assert.match(drill.output, /RPO: 0 of 7 purchases from before .* are missing/);
    assert.match(drill.output, /RTO: [\d.]+ s/);
    assert.match(drill.output, /7 purchases; ledger\.reconcile finds no difference/);
    assert.equal(await tickets(), 12, "the running engine has not noticed");

    const whole = await run(dataDir, "restore", "--drill");
    assert.match(whole.output, /RPO: 0 of 12 purchases are missing/);

    const before = await epoch();
    await stop();
    const refused = await run(dataDir, "restore");
    assert.equal(refused.code, 2, "it wants to be told to which moment");
    const restored = await run(dataDir, "restore", "--to", to);
    assert.equal(restored.code, 0, restored.output);
    await start();
    assert.equal(await tickets(), 7);
    await buy(1);
    assert.ok((await epoch()) > before, "also an owner from before the restore would be fenced");
  });

  it("are checked by the cluster's script, which finds a changed table", async () => {
    const drill = async () => {
      const folder = join(dataDir, "servers", "backups");
      const { uid, gid } = statSync(folder);
      const environment = {
        PATH: `${dirname(findBinaries(["postgres"]).found.postgres ?? "")}:${processEnvironment().PATH}`,
        BACKUPS: folder,
        INVARIANTS: join(folder, "invariants.sql"),
      };
      const script = startProgram(
        ["bash", join(folder, "backup.sh"), "drill", join(folder, "drill")],
        environment,
        { cwd: "/", ...(process.getuid?.() === 0 ? { uid, gid } : {}) },
      );
      return { code: await script.ended, output: script.said() };
    };
    copyFileSync(
      fileURLToPath(new URL("../../kubernetes/base/backup/invariants.sql", import.meta.url)),
      join(dataDir, "servers", "backups", "invariants.sql"),
    );
    chmodSync(join(dataDir, "servers", "backups", "invariants.sql"), 0o644);
    const again = await run(dataDir, "backup");
    assert.equal(again.code, 0, again.output);
    const good = await drill();
    assert.equal(good.code, 0, good.output);
    assert.match(good.output, /restored \d{8}T\d{6}Z and all WAL after it in \d+ s/);
    await database.query({ text: "UPDATE event SET capacity = capacity - 1" });
    const last = await run(dataDir, "backup");
    assert.equal(last.code, 0, last.output);
    const bad = await drill();
    assert.equal(bad.code, 1, bad.output);
    assert.match(bad.output, /the restored database breaks invariants: event .* 100 places/);
    await database.query({ text: "UPDATE event SET capacity = capacity + 1" });

    // Sums are right, and so are checksums: only pg_amcheck misses the entry of the new row.
    const index = "(SELECT oid FROM pg_class WHERE relname = 'event_pkey')";
    const ready = (is: boolean) =>
      database.query({
        text: `UPDATE pg_index SET indisready = ${is} WHERE indexrelid = ${index}`,
      });
    await ready(false);
    await addConcert(database, { total: 1 });
    await ready(true);
    const damaged = await run(dataDir, "backup");
    assert.equal(damaged.code, 0, damaged.output);
    const found = await drill();
    assert.equal(found.code, 1, found.output);
    assert.match(found.output, /pg_amcheck found damage: .*event_pkey/s);
    const noticed = await run(dataDir, "restore", "--drill");
    assert.equal(noticed.code, 1, noticed.output);
    assert.match(noticed.output, /pg_amcheck found damage: .*event_pkey/s);
    await database.query({ text: "REINDEX INDEX event_pkey" });
  });

  it("are unreadable without the key they were made with", async () => {
    const keyFile = join(dataDir, "backup.key");
    writeFileSync(keyFile, `${randomUUID()}\n`, { mode: 0o644 });
    const made = await run(dataDir, "backup", "--key-file", keyFile);
    assert.equal(made.code, 0, made.output);
    const newest =
      readdirSync(join(dataDir, "servers", "backups", "full"))
        .sort()
        .at(-1) ?? "";
    const bytes = readFileSync(join(dataDir, "servers", "backups", "full", newest, "base.tar.gz"));
    assert.equal(bytes.subarray(0, 8).toString("latin1"), "Salted__");
    const without = await run(dataDir, "restore", "--drill");
    assert.equal(without.code, 1, without.output);
    const withKey = await run(dataDir, "restore", "--drill", "--key-file", keyFile);
    assert.match(withKey.output, /reconcile finds no difference/);
    assert.equal(withKey.code, 0, withKey.output);
  });
});
