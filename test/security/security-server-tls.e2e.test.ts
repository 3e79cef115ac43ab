// TLS to PostgreSQL, Redis, RabbitMQ and NATS with a named authority, and what is refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as connectRabbit } from "amqplib";
import { after, before, describe, it } from "node:test";
import { ConfigError } from "../../config/index.ts";
import { openPublisher } from "../../lib/queue/index.ts";
import { openRedis } from "../../lib/redis/client.ts";
import { makeAuthority } from "../../tools/testing/certificate.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { httpClient } from "../support/http/http.ts";
import { BOXOFFICE, startProgram } from "../support/processes/boxoffice.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { serverUrls } from "../support/processes/servers.ts";
import { startTlsServers, type TlsServers } from "../support/processes/tls-servers.ts";
import { waitFor } from "../support/wait-for.ts";

const UNTRUSTED = /its certificate is not trusted \(.+\); SERVERS_CA_FILE must name/;
const PATIENT = 60_000;

describe("TLS to the servers", () => {
  const { folder, remove } = temporaryFolder();
  let servers: TlsServers;
  let engine: Engine;
  let otherCa: string;

  before(async () => {
    servers = await startTlsServers();
    otherCa = makeAuthority(folder, "other").certFile;
    const { redisUrl, amqpUrl, transporter, caFile } = servers;
    engine = await startEngine(
      {
        SERVICES: "auth,catalog,purchasing,ledger",
        REDIS_URL: redisUrl,
        AMQP_URL: amqpUrl,
        TRANSPORTER: transporter,
        SERVERS_CA_FILE: caFile,
      },
      servers.overTls,
    );
  });
  after(async () => {
    try {
      await engine.close();
    } finally {
      await servers.close();
      remove();
    }
  });

  /** Runs a node until it says so. */
  const nodeSays = async (environment: Record<string, string>, words: RegExp): Promise<void> => {
    const { DATA_DIR } = engine.environment;
    const node = startProgram([process.execPath, BOXOFFICE, "node"], {
      ...engine.environment,
      DATA_DIR,
      SERVICES: "catalog",
      SERVERS_CA_FILE: servers.caFile,
      ...environment,
    });
    try {
      const runs = /runs catalog/;
      await waitFor(() => words.exec(node.said()) ?? runs.exec(node.said()), { withinMs: PATIENT });
      assert.match(node.said(), words);
    } finally {
      node.child.kill("SIGKILL");
      await node.ended;
    }
  };

  it("S41: a ticket is sold and booked over TLS to all four servers, through a gateway without a database", async () => {
    const gateway = await engine.startNode({ SERVICES: "api", DATABASE_URL: "", AMQP_URL: "" });
    const ask = httpClient(gateway.url ?? "");
    const eventId = await engine.addEvent({ capacity: 3 });
    const token = engine.accessToken();
    const json = { quantity: 2 };
    const buy = async () =>
      (await ask("POST", `/api/events/${eventId}/tickets`, { token, json })).status === 201;
    await waitFor(buy, { withinMs: PATIENT, what: "Two tickets are sold" });
    const booked = { text: "SELECT capacity FROM event WHERE id = $1", values: [eventId] };
    await waitFor(
      async () => (await engine.database.query<{ capacity: number }>(booked))[0]?.capacity === 1,
      { withinMs: PATIENT, what: "They are booked" },
    );

    const sessions = await engine.database.query<{ user: string; ssl: boolean }>({
      text: `SELECT DISTINCT usename AS user, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename LIKE '%engine'`,
    });
    assert.deepEqual(sessions, [{ user: "boxoffice_engine", ssl: true }]);
    // This queue's only door is the one with TLS.
    const ca = readFileSync(servers.caFile);
    const rabbit = await connectRabbit(servers.amqpUrl, { ca });
    const channel = await rabbit.createChannel();
    const { consumerCount } = await channel.checkQueue("ticket-transactions");
    await rabbit.close();
    assert.equal(consumerCount, 1);
    // Redis and NATS of this test have no other port.
    const redis = openRedis(servers.redisUrl, () => undefined, ca.toString());
    try {
      await waitFor(async () => (await redis.keys(`*${eventId}*`)).length > 0, {
        withinMs: PATIENT,
        what: "Redis has copies of the event",
      });
    } finally {
      redis.disconnect();
    }
  });

  /** The first warning of a Redis client, and whether it has connected. */
  const redisSays = async (url: string, ca: string): Promise<{ line: string; ready: boolean }> => {
    const lines: string[] = [];
    const redis = openRedis(url, (line) => lines.push(line), ca);
    try {
      await waitFor(() => lines.length > 0 || redis.status === "ready", { withinMs: PATIENT });
      return { line: lines[0] ?? "", ready: redis.status === "ready" };
    } finally {
      redis.disconnect();
    }
  };
  /** The same of a publisher. */
  const rabbitSays = async (url: string, ca: string): Promise<{ line: string; ready: boolean }> => {
    const lines: string[] = [];
    const add = (line: string) => lines.push(line);
    const publisher = await openPublisher({ url, ca, log: { info: add, error: add, warn: add } });
    try {
      await waitFor(() => lines.length > 0 || publisher.connected(), { withinMs: PATIENT });
      return { line: lines[0] ?? "", ready: publisher.connected() };
    } finally {
      await publisher.close();
    }
  };

  it("S41: certificates of an authority that is not named are refused in one line, by each client", async () => {
    const ca = readFileSync(otherCa, "utf8");
    const redis = await redisSays(servers.redisUrl, ca);
    assert.match(redis.line, new RegExp(`^Redis is down: ${UNTRUSTED.source}`));
    assert.equal(redis.ready, false);
    const rabbit = await rabbitSays(servers.amqpUrl, ca);
    assert.match(rabbit.line, new RegExp(`^RabbitMQ is down: ${UNTRUSTED.source}`));
    assert.equal(rabbit.ready, false);

    const own = engine.config.databaseUrl ?? "";
    const DATABASE_URL = own.replace(/sslrootcert=[^&]*/, `sslrootcert=${otherCa}`);
    await assert.rejects(
      engine.startNode({ SERVICES: "catalog", DATABASE_URL }),
      (error) => error instanceof ConfigError && UNTRUSTED.test(error.message),
    );
    await nodeSays({ SERVERS_CA_FILE: otherCa }, new RegExp(`NATS is down: ${UNTRUSTED.source}`));
  });

  it("S41: a server's certificate for another host, and a server without TLS, are refused", async () => {
    const ca = readFileSync(servers.caFile, "utf8");
    const { line, ready } = await redisSays(servers.redisUrl.replace("localhost", "127.0.0.1"), ca);
    assert.match(line, UNTRUSTED);
    assert.equal(ready, false);

    const plain = serverUrls();
    const overPlain = await redisSays(plain.REDIS_URL.replace("redis:", "rediss:"), ca);
    assert.equal(overPlain.ready, false);
    await nodeSays(
      { TRANSPORTER: plain.TRANSPORTER.replace("nats:", "tls:") },
      /NATS is down: .*tls/i,
    );
  });
});
