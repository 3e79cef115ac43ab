// Tests internal access. Every private server authenticates its clients. The public port serves the
// contract only. No account exists from the start.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect as connectRabbit } from "amqplib";
import { Client } from "pg";
import { addAccessKey } from "../../lib/auth/key-store.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import {
  type DurablePostgres,
  startDurablePostgres,
} from "../support/processes/durable-postgres.ts";
import { serverUrls } from "../support/processes/servers.ts";
import { type CommandWorld, openCommandWorld } from "../support/processes/start-command.ts";
import { openTcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { waitFor } from "../support/wait-for.ts";

/** What a server says to somebody who sends this first. */
function hear(url: string, words: string, host = new URL(url).hostname): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(new URL(url).port) }, () => socket.write(words));
    let said = "";
    const done = (): void => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(1_500, done);
    socket.on("data", (chunk: Buffer) => {
      said += chunk.toString("latin1");
      if (/-NOAUTH|-ERR/.test(said)) done();
    });
    socket.on("close", () => resolve(said));
    socket.on("error", reject);
  });
}

const refusal = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => "let in",
    (error: unknown) => String(error),
  );

describe("internal doors", () => {
  let engine: Engine;
  let ask: HttpClient;
  let metricsPort: number;
  before(async () => {
    metricsPort = await freePort();
    engine = await startEngine({ METRICS_PORT: String(metricsPort) });
    ask = httpClient(engine.url);
  });
  after(() => engine.close());

  it("S29: Redis, NATS, RabbitMQ and PostgreSQL refuse clients without a password, or with the default one", async () => {
    const { DATABASE_URL, REDIS_URL, AMQP_URL, TRANSPORTER } = serverUrls();
    assert.match(await hear(REDIS_URL, "KEYS *\r\n"), /^-NOAUTH/);
    assert.match(await hear(REDIS_URL, "AUTH default\r\n"), /^-(?:WRONGPASS|ERR)/);
    assert.match(
      await hear(TRANSPORTER, 'CONNECT {"verbose":false}\r\nSUB > 1\r\nPING\r\n'),
      /-ERR 'Authorization Violation'/i,
    );
    const guest = new URL(AMQP_URL);
    [guest.username, guest.password] = ["guest", "guest"];
    assert.match(await refusal(connectRabbit(guest.href)), /ACCESS.REFUSED|403/i);
    for (const [username, password] of [
      ["boxoffice", ""],
      ["boxoffice", "boxoffice"],
      ["postgres", "postgres"],
    ] as const) {
      const url = new URL(DATABASE_URL);
      [url.username, url.password] = [username, password];
      const client = new Client({ connectionString: url.href, connectionTimeoutMillis: 3_000 });
      client.on("error", () => undefined);
      const outcome = await refusal(client.connect());
      assert.match(outcome, /password|authentication|SASL/i);
      await client.end().catch(() => undefined);
    }
  });

  it("S29: private servers and metrics cannot be reached from another machine", async (context) => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;
    if (address === undefined) return context.skip("this machine has no address but loopback");
    const urls = Object.values(serverUrls()).filter((url) =>
      ["127.0.0.1", "localhost"].includes(new URL(url).hostname),
    );
    for (const url of [...urls, `http://127.0.0.1:${metricsPort}`])
      assert.match(
        await refusal(hear(url, "\r\n", address)),
        /ECONNREFUSED/,
        url.split("@").at(-1),
      );
  });

  it("S29: metrics and management are not on the public port", async () => {
    const paths = [
      "metrics",
      "api/metrics",
      "management",
      "debug",
      "debug/pprof",
      "actuator/health",
      "admin",
      "_status",
      "server-status",
      "status",
      ".env",
      ".git/config",
    ];
    for (const path of paths) assertProblem(await ask("GET", `/${path}`), 404, "NOT_FOUND");
    const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    assert.equal(metrics.status, 200, "they are on a port of their own");
    assert.doesNotMatch(await (await fetch(engine.url)).text(), /moleculer_/);
  });

  it("S29: /readyz names no host, also when something is away", async () => {
    const proxy = await openTcpProxy(engine.config.databaseUrl ?? "");
    const node = await engine.startNode({ DATABASE_URL: proxy.url, METRICS_PORT: "" });
    try {
      const client = httpClient(node.url ?? "");
      await waitFor(async () => (await client("GET", "/readyz")).status === 200, {
        withinMs: 15_000,
      });
      assert.deepEqual((await client("GET", "/readyz")).json, { status: "ready" });
      proxy.away(true);
      await waitFor(async () => (await client("GET", "/readyz")).status === 503, {
        withinMs: 10_000,
      });
      const answer = await client("GET", "/readyz");
      assertProblem(answer, 503, "TRY_AGAIN");
      assert.match(String(answer.json?.detail), /^Not ready: [a-z, ]+$/);
      const { hostname, port } = new URL(proxy.url);
      for (const word of [hostname, port, "ECONN", "postgres"])
        assert.ok(!answer.text.includes(word), answer.text);
    } finally {
      proxy.away(false);
      await node.stop();
      await proxy.close();
    }
  });

  it("S29: only people who registered have an account", async () => {
    assert.deepEqual(await engine.database.query({ text: "SELECT email FROM user_account" }), []);
    for (const name of ["admin", "root", "operator", "demo", "test", "guest", "boxoffice"])
      for (const email of [name, `${name}@example.com`, `${name}@localhost`, `${name}@boxoffice`])
        for (const password of [name, "password", "changeme", ""])
          assert.equal(
            (await ask("POST", "/api/auth/login", { json: { email, password } })).status,
            401,
          );
  });
});

describe("a start in production", () => {
  let world: CommandWorld;
  /** Production refuses the tests' own server, which may lose what it has confirmed. */
  let postgres: DurablePostgres;
  before(async () => {
    [world, postgres] = await Promise.all([openCommandWorld(), startDurablePostgres()]);
  });
  after(async () => {
    await world.close();
    await postgres.stop();
  });

  it("S29, S30: has no demo user and no demo event, and refuses to sell the events of a trial", async () => {
    const keys = join(world.dataDir, "production-keys");
    addAccessKey(keys, Date.now() - 60_000);
    const secret = (): string => randomUUID() + randomUUID();
    const environment = {
      NODE_ENV: "production",
      DATABASE_URL: postgres.engineUrl,
      MIGRATION_DATABASE_URL: postgres.ownerUrl,
      LOG_LEVEL: "error",
      AUDIT_FILE: join(world.dataDir, "audit.log"),
      ACCESS_TOKEN_KEYS_DIR: keys,
      INTERNAL_TOKEN_SECRET: secret(),
      TRANSACTION_SECRET: secret(),
      REFRESH_TOKEN_SECRET: secret(),
      MAIL_TOKEN_SECRET: secret(),
      PUBLIC_URL: "https://tickets.example.com",
    };
    const command = world.start(environment);
    const ask = httpClient(await command.address());
    assert.deepEqual((await ask("GET", "/api/events?from=1970-01-01")).json, {
      items: [],
      nextCursor: null,
    });
    await command.stop();

    const database = openDatabase(postgres.ownerUrl, "long");
    try {
      assert.deepEqual(await database.query({ text: "SELECT email FROM user_account" }), []);
    } finally {
      await database.close();
    }
    const trial = world.start({
      DATABASE_URL: postgres.ownerUrl,
      LOG_LEVEL: "error",
      AUDIT_FILE: join(world.dataDir, "audit.log"),
    });
    await trial.address();
    await trial.stop();
    const refused = world.start(environment);
    assert.equal(await refused.exitCode(), 1);
    assert.match(
      refused.said(),
      /The configuration is not usable:\n {2}- DATABASE_URL holds \d+ events of the demo catalog/,
    );
  });

  it("S30: says everything that is wrong at once, and starts nothing", async () => {
    const bad = {
      NODE_ENV: "production",
      RATE_LIMITS: "off",
      HOST: "0.0.0.0",
      TRANSACTION_SECRET: "changeme",
      REDIS_URL: "redis://127.0.0.1:1",
    };
    const command = world.start({ ...bad, INTERNAL_TOKEN_SECRET: "a".repeat(40) });
    assert.equal(await command.exitCode(), 1);
    for (const name of [
      "INTERNAL_TOKEN_SECRET",
      "TRANSACTION_SECRET",
      "REFRESH_TOKEN_SECRET",
      "MAIL_TOKEN_SECRET",
      "ACCESS_TOKEN_KEYS_DIR",
      "RATE_LIMITS",
      "HOST",
      "REDIS_URL",
    ])
      assert.match(command.said(), new RegExp(`^  - ${name}`, "m"), command.said());
    assert.equal(command.said().match(/The configuration is not usable/g)?.length, 1);
    assert.doesNotMatch(command.said(), /serves|migrated|changeme|aaaa/);
  });
});
