// The demo catalog at the first start: patient with a busy machine, completed later, never mixed
// with other events. Has servers of its own, since it stops PostgreSQL.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { CallingOptions, ServiceBroker } from "moleculer";
import { type Config, readConfig } from "../../config/index.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { type RunningNode, startNode } from "../../main.ts";
import { insertEvents } from "../../services/catalog/events/event-store.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { ensureDemoCatalog } from "../../tools/demo/ensure-demo-catalog.ts";
import { migrate } from "../../tools/database/migrations.ts";
import { type RunningServers, startServers } from "../../tools/dev-servers/servers.ts";
import { freezeProcess } from "../../tools/testing/freeze-process.ts";
import { temporaryFolder } from "../support/processes/processes.ts";

const COUNT = 3_000;
const FROZEN_MS = 5_000;
const DAY_MS = 86_400_000;

describe("the demo catalog", () => {
  const { folder, remove } = temporaryFolder();
  let servers: RunningServers;
  let config: Config;
  let node: RunningNode;
  let database: Database;

  before(async () => {
    const only = ["postgres", "redis", "nats"] as const;
    servers = await startServers({ dataDir: folder, only, report: () => undefined, restart: true });
    await migrate(servers.urls.DATABASE_URL ?? "");
    config = readConfig({
      ...servers.urls,
      AMQP_URL: "amqp://127.0.0.1:9",
      DATA_DIR: folder,
      SERVICES: "catalog",
      LOG_LEVEL: "fatal",
      AUDIT_FILE: join(folder, "audit.log"),
    });
    node = await startNode(config);
    database = openDatabase(servers.urls.DATABASE_URL ?? "", "long");
  });
  after(async () => {
    await node.stop();
    await database.close();
    await servers.stop();
    remove();
  });
  beforeEach(() => database.query({ text: "TRUNCATE event CASCADE" }));

  const countEvents = async (source: string): Promise<number> => {
    const text = "SELECT count(*)::integer AS count FROM event WHERE source = $1";
    const [row] = await database.query<{ count: number }>({ text, values: [source] });
    return row?.count ?? 0;
  };
  const freezePostgres = async (): Promise<void> => {
    const { pid = assert.fail("PostgreSQL runs") } = servers.server("postgres");
    freezeProcess(pid, true);
    try {
      await delay(FROZEN_MS);
    } finally {
      freezeProcess(pid, false);
    }
  };

  /** The node's broker; does `work` just before it imports the second batch. */
  function interrupted(work: () => unknown): Pick<ServiceBroker, "call"> {
    let calls = 0;
    const call = (action: string, params: object, options: CallingOptions): Promise<unknown> => {
      calls += 1;
      if (calls === 2) work();
      return node.broker.call(action, params, options);
    };
    return { call: call as ServiceBroker["call"] };
  }

  it("becomes complete although PostgreSQL is stopped for 5 s during its import", async () => {
    const frozen: Promise<void>[] = [];
    const broker = interrupted(() => frozen.push(freezePostgres()));
    const demo = await ensureDemoCatalog(broker, config, { count: COUNT });
    assert.equal(demo.complete, true);
    assert.equal((await Promise.all(frozen)).length, 1, "it was stopped once");
    assert.equal(await countEvents("demo"), COUNT);
    const search = await node.broker.call<{ ok: boolean }, object>("catalog.search", { limit: 1 });
    assert.equal(search.ok, true, "the engine is up");
  });

  it("becomes complete although PostgreSQL is stopped for 5 s before its import", async () => {
    const frozen = freezePostgres();
    const demo = await ensureDemoCatalog(node.broker, config, { count: COUNT });
    await frozen;
    assert.deepEqual(demo, { made: COUNT, complete: true });
    assert.equal(await countEvents("demo"), COUNT);
  });

  it("is completed at the next start, also on another day, and then left alone", async () => {
    const [aborted, nowMs] = [new AbortController(), Date.now()];
    const broker = interrupted(() => aborted.abort());
    const stopped = await ensureDemoCatalog(broker, config, { signal: aborted.signal });
    assert.equal(stopped.complete, false);
    const made = await settled(() => countEvents("demo"));
    assert.ok(made < COUNT, `${made} events before the end`);
    const before = await readDemoDates();

    const next = await ensureDemoCatalog(node.broker, config, { nowMs: nowMs + 3 * DAY_MS });
    assert.deepEqual(next, { made: COUNT - made, complete: true });
    const after = await readDemoDates();
    assert.equal(after.size, COUNT);
    for (const [id, date] of before) assert.equal(after.get(id), date, "an event keeps its date");
    assert.deepEqual(await ensureDemoCatalog(node.broker, config), { made: 0, complete: true });
  });

  it("never enters a database that has other events, with demo events or without", async () => {
    const [record = assert.fail("a record")] = demoEvents(1, Date.now(), 30);
    await insertEvents(database, [{ ...record, source: "feed", sourceId: "1" }]);
    assert.deepEqual(await ensureDemoCatalog(node.broker, config), { made: 0, complete: true });
    assert.equal(await countEvents("demo"), 0);

    await insertEvents(database, [record]);
    assert.deepEqual(await ensureDemoCatalog(node.broker, config), { made: 0, complete: true });
    assert.equal(await countEvents("demo"), 1);
  });

  async function readDemoDates(): Promise<Map<string, string>> {
    const rows = await database.query<{ id: string; date: string }>({
      text: "SELECT source_id AS id, starts_at::text AS date FROM event WHERE source = 'demo'",
    });
    return new Map(rows.map(({ id, date }) => [id, date]));
  }

  /** Waits until the batch in flight has ended: two equal reads, half a second apart. */
  async function settled(read: () => Promise<number>): Promise<number> {
    for (let last = await read(); ;) {
      await delay(500);
      const next = await read();
      if (next === last) return next;
      last = next;
    }
  }
});
