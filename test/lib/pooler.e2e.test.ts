// The engine behind a PgBouncer in transaction mode: each statement or transaction may run in
// another session, and a session's time-outs come from its role.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it, type TestContext } from "node:test";
import { readConfig } from "../../config/index.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { missingSettings } from "../../lib/database/session-settings.ts";
import { startNode } from "../../main.ts";
import { OPERATOR } from "../../tools/demo/demo-catalog.ts";
import { freshDatabase } from "../support/database.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { peopleAt } from "../support/fixtures/accounts.ts";
import { numbersWhenQuiet } from "../support/fixtures/sales.ts";
import { httpClient, type HttpClient } from "../support/http/http.ts";
import { type Pgbouncer, SERVERS_MAX, startPgbouncer } from "../support/processes/pgbouncer.ts";
import { provideProgram } from "../support/processes/programs.ts";
import { serverUrls } from "../support/processes/servers.ts";
import { waitFor } from "../support/wait-for.ts";

const CAPACITY = 50;

describe("behind PgBouncer in transaction mode", () => {
  let pooler: Pgbouncer | undefined;
  let missing: string | undefined;
  let engine: Engine;
  let ask: HttpClient;
  let url: string;
  before(async () => {
    const found = await provideProgram("pgbouncer");
    if (typeof found === "string") return (missing = found);
    pooler = await startPgbouncer(found.pgbouncer ?? "", serverUrls().DATABASE_URL);
    const { through } = pooler;
    engine = await startEngine({ DATABASE_POOLER: "transaction" }, through);
    ask = httpClient(engine.url);
    url = engine.config.databaseUrl ?? "";
    await waitFor(async () => (await ask("GET", "/readyz")).status === 200, { withinMs: 15_000 });
    return undefined;
  });
  after(async () => {
    if (pooler === undefined) return;
    await engine.close();
    await pooler.stop();
  });
  const behindPooler = (name: string, test: (pgbouncer: Pgbouncer) => Promise<void>): void => {
    void it(name, (context: TestContext) =>
      pooler === undefined ? context.skip(missing ?? "") : test(pooler),
    );
  };
  const buy = (eventId: string, token: string, quantity = 1, key = randomUUID()) =>
    ask("POST", `/api/events/${eventId}/tickets`, {
      token,
      json: { quantity },
      headers: { "Idempotency-Key": key },
    });

  behindPooler("signs up, sells, replays, lists, cancels and books", async ({ pools }) => {
    const { accessToken: token } = await peopleAt(ask).signedIn();
    const eventId = await engine.addEvent({ capacity: CAPACITY });
    const key = randomUUID();
    const bought = await buy(eventId, token, 3, key);
    assert.equal(bought.status, 201, bought.text);
    const again = await buy(eventId, token, 3, key);
    assert.deepEqual(again.json?.tickets, bought.json?.tickets, "a replay");
    const others = Array.from({ length: 30 }, () => buy(eventId, engine.accessToken()));
    assert.deepEqual([...new Set((await Promise.all(others)).map(({ status }) => status))], [201]);
    const [ticket] = bought.json?.tickets as { id: string }[];
    const cancelled = await ask("DELETE", `/api/tickets/${ticket?.id}`, { token });
    assert.equal(cancelled.status, 200, cancelled.text);
    const list = await ask("GET", "/api/tickets", { token });
    assert.equal((list.json?.items as unknown[]).length, 3, list.text);
    const { capacity, tickets, booked } = await numbersWhenQuiet(engine, eventId);
    assert.deepEqual([capacity, tickets, booked], [CAPACITY - 32, 32, -32]);
    const { servers, clients } = await pools(new URL(url).pathname.slice(1));
    assert.ok(
      clients >= servers && servers <= SERVERS_MAX,
      `${clients} clients, ${servers} servers`,
    );
  });

  behindPooler("moves events to another node and back, and nothing disagrees", async () => {
    const events = await Promise.all(Array.from({ length: 8 }, () => engine.addEvent()));
    const sellEach = async (): Promise<void> => {
      for (const eventId of events)
        await waitFor(async () => (await buy(eventId, engine.accessToken())).status === 201, {
          withinMs: 15_000,
        });
    };
    await sellEach();
    const second = await engine.startNode({ SERVICES: "purchasing,ledger" });
    await sellEach();
    for (const eventId of events) await numbersWhenQuiet(engine, eventId);
    const meta = { token: createInternalTokenMint(engine.config.internalTokenSecret)(OPERATOR) };
    const { value } = await second.broker.call<{ value: { differences: unknown[] } }, object>(
      "ledger.reconcile",
      {},
      { meta, timeout: 30_000 },
    );
    assert.deepEqual(value.differences, []);
    await second.stop();
    await sellEach();
  });

  behindPooler("ends statements in time, and long ones later", async () => {
    const sale = openDatabase(url, "sale", { pooler: true });
    const long = openDatabase(url, "long", { pooler: true });
    assert.deepEqual(await missingSettings(sale), []);
    await assert.rejects(sale.query({ text: "SELECT pg_sleep(5)" }), { code: "57014" });
    await long.query({ text: "SELECT pg_sleep(1.8)" });
    assert.deepEqual(await missingSettings(sale), [], "no session keeps a raised limit");
    await long.close();
    await sale.close();
  });

  behindPooler("cannot prepare statements by name, so none has one", async () => {
    const named = { name: "a-name", text: "SELECT 1 AS one" };
    // More sessions than PgBouncer has to the server: two of them prepare on the same one.
    const inSessions = async (pooled: boolean): Promise<void> => {
      for (let session = 0; session <= SERVERS_MAX; session += 1) {
        const database = openDatabase(url, "sale", { pooler: pooled, poolMax: 1 });
        try {
          await database.query(named);
        } finally {
          await database.close();
        }
      }
    };
    await inSessions(true);
    await assert.rejects(inSessions(false), /prepared statement/);
  });
});

describe("sessions without their time-outs", () => {
  it("are refused in production, with what to do, and named in development", async () => {
    const fresh = await freshDatabase();
    const name = new URL(fresh.url).pathname.slice(1);
    const owner = openDatabase(fresh.url, "sale", { poolMax: 1 });
    await owner.query({ text: `ALTER ROLE CURRENT_USER IN DATABASE ${name} RESET ALL` });
    await owner.close();
    const { AMQP_URL, REDIS_URL, TRANSPORTER } = serverUrls();
    const config = readConfig({
      AMQP_URL,
      REDIS_URL,
      TRANSPORTER,
      DATABASE_URL: fresh.url,
      BUS_NAMESPACE: `test-${randomUUID()}`,
      SERVICES: "auth",
      LOG_LEVEL: "fatal",
    });
    await assert.rejects(startNode({ ...config, production: true }), (error: Error) => {
      assert.match(error.message, /lock_timeout is off in sessions of PostgreSQL/);
      assert.match(
        error.message,
        /migrate`, or ALTER ROLE boxoffice IN DATABASE \w+ SET lock_time/,
      );
      assert.match(error.message, /statement_timeout.*'1500ms'/);
      return true;
    });
    const node = await startNode(config);
    await node.stop();
    await fresh.drop();
  });
});
