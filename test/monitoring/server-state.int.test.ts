// What a node says of its servers, before the first request and in trouble: /metrics and /readyz.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openDatabase } from "../../lib/database/pool.ts";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { waitFor } from "../support/wait-for.ts";

const CAN_MOUNT = process.platform === "linux" && process.getuid?.() === 0;

describe("a node tells of its servers", () => {
  let engine: Engine;
  let metrics: string;
  let role: string;
  let database: string;
  before(async () => {
    const port = await freePort();
    engine = await startEngine({ METRICS_PORT: String(port), RATE_LIMITS: "on" });
    metrics = `http://127.0.0.1:${port}/metrics`;
    const url = new URL(engine.config.databaseUrl ?? "");
    [role, database] = [url.username, url.pathname.slice(1)];
  });
  after(() => engine.close());

  const scraped = async (): Promise<string> => (await fetch(metrics)).text();
  const value = async (series: string): Promise<string | undefined> =>
    (await scraped())
      .split("\n")
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1);
  const ready = async (): Promise<unknown> => {
    const answer = await fetch(`${engine.url}/readyz`);
    const { detail, status } = (await answer.json()) as { detail?: string; status: unknown };
    return detail ?? status;
  };
  const untilReady = (expected: string): Promise<unknown> =>
    waitFor(async () => (await ready()) === expected, {
      withinMs: 30_000,
      what: `/readyz says ${expected}`,
    });
  /** Changes a setting of the engine's role, and ends its sessions: new ones have it. */
  const setForEngine = async (setting: string): Promise<void> => {
    await engine.database.query({ text: `ALTER ROLE ${role} IN DATABASE ${database} ${setting}` });
    await engine.database.query({
      text:
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
        `WHERE datname = current_database() AND usename = '${role}'`,
    });
  };
  const refusal = (reason: string): string =>
    `boxoffice_postgres_refuses_writes{reason="${reason}"}`;

  it("of each of the four, and of all promises, before the first request", async () => {
    for (const server of ["postgres", "redis", "rabbitmq", "nats"])
      await waitFor(async () => (await value(`boxoffice_connected{server="${server}"}`)) === "1", {
        withinMs: 30_000,
        what: `${server} is connected`,
      });
    const text = await scraped();
    assert.equal(/^boxoffice_http_requests_total\{/m.test(text), false, "no request has come");
    for (const slo of ["purchases", "reads", "sign-in"])
      assert.equal(await value(`boxoffice_slo_bad_requests_total{slo="${slo}"}`), "0");
    for (const reason of ["read-only", "disk-full"])
      assert.equal(await value(refusal(reason)), "0");
    assert.ok(Number(await value("boxoffice_postgres_connections")) >= 1);
    assert.ok(Number(await value("boxoffice_postgres_connections_max")) > 1);
    assert.ok(Number(await value("boxoffice_postgres_wal_kept_bytes")) >= 0);
  });

  it("that PostgreSQL is read-only, and purchases are a 503 meanwhile", async () => {
    await untilReady("ready");
    const event = await engine.addEvent();
    const buy = async (): Promise<number> => {
      const answer = await fetch(`${engine.url}/api/events/${event}/tickets`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${engine.accessToken()}`,
          "Content-Type": "application/json",
        },
        body: '{"quantity":1}',
      });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await waitFor(buy), 201);
    await setForEngine("SET default_transaction_read_only = on");
    try {
      await untilReady("Not ready: database (read-only)");
      assert.equal(await value(refusal("read-only")), "1");
      assert.equal(await value('boxoffice_connected{server="postgres"}'), "1");
      const faults = await value('boxoffice_faults_total{place="request"}');
      for (let count = 0; count < 5; count += 1) assert.equal(await buy(), 503);
      assert.equal(
        await value('boxoffice_faults_total{place="request"}'),
        faults,
        "no fault of ours",
      );
    } finally {
      await setForEngine("RESET default_transaction_read_only");
    }
    await untilReady("ready");
    await waitFor(async () => (await buy()) === 201, { withinMs: 20_000 });
  });

  it("that PostgreSQL is slow, and stays ready", async () => {
    await untilReady("ready");
    const ours = openDatabase(engine.config.databaseUrl ?? "", "sale");
    const before = Number(await value("boxoffice_postgres_timeouts_total"));
    await assert.rejects(ours.query({ text: "SELECT pg_sleep(3)" }), /statement timeout/);
    await ours.close();
    const answer = await fetch(`${engine.url}/readyz`);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { status: "ready", troubles: ["database (slow)"] });
    assert.ok(Number(await value("boxoffice_postgres_timeouts_total")) > before);
  });

  it(
    "that PostgreSQL's disk is full, until there is room",
    { skip: !CAN_MOUNT && "needs root for a small disk" },
    async () => {
      await untilReady("ready");
      const owner = openDatabase(engine.ownerUrl, "sale");
      const [server] = await owner.query<{ folder: string }>({
        text: "SELECT current_setting('data_directory') AS folder",
      });
      const { uid, gid } = statSync(server?.folder ?? "");
      const parent = mkdtempSync(join(tmpdir(), "boxoffice-small-disk-"));
      const disk = join(parent, "disk");
      mkdirSync(disk);
      execFileSync("chmod", ["755", parent]);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]);
      chownSync(disk, uid, gid);
      const space = `small_${database}`;
      const ours = openDatabase(engine.config.databaseUrl ?? "", "sale");
      try {
        await owner.query({ text: `CREATE TABLESPACE ${space} LOCATION '${disk}'` });
        await owner.query({ text: `GRANT CREATE ON TABLESPACE ${space} TO ${role}` });
        await owner.query({ text: `CREATE TABLE filler (text text) TABLESPACE ${space}` });
        await owner.query({ text: `GRANT INSERT ON filler TO ${role}` });
        await setForEngine(`SET temp_tablespaces = ${space}`);
        await untilReady("ready");
        await assert.rejects(async () => {
          for (;;)
            await ours.query({
              text: "INSERT INTO filler SELECT repeat(md5(n::text), 30) FROM generate_series(1, 500) n",
            });
        }, /could not extend file|No space left/);
        await untilReady("Not ready: database (disk-full)");
        await waitFor(async () => (await value(refusal("disk-full"))) === "1");
        // Truncating would write a new file first.
        await owner.query({ text: "DROP TABLE filler" });
        await untilReady("ready");
        await waitFor(async () => (await value(refusal("disk-full"))) === "0");
      } finally {
        await ours.close();
        await owner.query({ text: "DROP TABLE IF EXISTS filler" });
        await setForEngine("RESET temp_tablespaces");
        await owner.query({ text: `DROP TABLESPACE IF EXISTS ${space}` });
        await owner.close();
        execFileSync("umount", [disk]);
        rmSync(parent, { recursive: true, force: true });
      }
    },
  );
});
