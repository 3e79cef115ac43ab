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
    await engine.close();
    await servers.close();
    remove();
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
      await waitFor(() => words.exec(node.said()), { withinMs: PATIENT, what: String(words) });
    } catch (error) {
      assert.fail(`${String(error)}\n${node.said()}`);
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
    const keys = await waitFor(() => redis.keys(`*${eventId}*`).catch(() => undefined), {
      withinMs: PATIENT,
    });
    redis.disconnect();
    assert.ok(keys.length > 0);
  });

  it("S41: certificates of an authority that is not named are refused in one line, by each client", async () => {
    const ca = readFileSync(otherCa, "utf8");
    const lines: string[] = [];
    const redis = openRedis(servers.redisUrl, (line) => lines.push(line), ca);
    await waitFor(() => lines.length > 0, { withinMs: PATIENT, what: "Redis is refused" });
    assert.notEqual(redis.status, "ready");
    redis.disconnect();

    const add = (line: string) => lines.push(line);
    const log = { info: add, error: add, warn: add };
    const publisher = await openPublisher({ url: servers.amqpUrl, ca, log });
    await waitFor(() => lines.length > 1, { withinMs: PATIENT, what: "RabbitMQ is refused" });
    assert.equal(publisher.connected(), false);
    await publisher.close();
    assert.match(lines[0] ?? "", new RegExp(`^Redis is down: ${UNTRUSTED.source}`));
    assert.match(lines[1] ?? "", new RegExp(`^RabbitMQ is down: ${UNTRUSTED.source}`));

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
    const lines: string[] = [];
    const otherHost = servers.redisUrl.replace("localhost", "127.0.0.1");
    const redis = openRedis(otherHost, (line) => lines.push(line), ca);
    await waitFor(() => lines.length > 0, { withinMs: PATIENT, what: "The host is refused" });
    redis.disconnect();
    assert.match(lines[0] ?? "", UNTRUSTED);

    const plain = serverUrls();
    const overPlain = openRedis(plain.REDIS_URL.replace("redis:", "rediss:"), () => undefined, ca);
    await assert.rejects(overPlain.ping());
    overPlain.disconnect();
    await nodeSays(
      { TRANSPORTER: plain.TRANSPORTER.replace("nats:", "tls:") },
      /NATS is down: .*tls/i,
    );
  });
});
