import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { Client } from "pg";
import { answers } from "../../tools/dev-servers/probe.ts";
import { startServers, type RunningServers } from "../../tools/dev-servers/servers.ts";
import {
  rememberedServers,
  stillRunning,
  temporaryFolder,
} from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";

/**
 * A newcomer's machine has no servers and no administrator: these must come up, come back and go
 * away by themselves.
 */
describe("the private servers, all of them", () => {
  const { folder, remove } = temporaryFolder();
  const lines: string[] = [];
  let servers: RunningServers;

  before(async () => {
    servers = await startServers({
      dataDir: folder,
      report: (line) => lines.push(line),
      restart: true,
    });
  });
  after(async () => {
    await servers.stop();
    remove();
  });

  async function askRedis<T>(ask: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(servers.urls.REDIS_URL ?? "", {
      maxRetriesPerRequest: 0,
      retryStrategy: null,
      commandTimeout: 1_000,
    });
    redis.on("error", () => undefined);
    try {
      return await ask(redis);
    } finally {
      redis.disconnect();
    }
  }

  it("come up with one line each", () => {
    for (const label of ["PostgreSQL", "Redis", "RabbitMQ", "NATS"])
      assert.equal(
        lines.filter((line) => new RegExp(`^${label} is up on port \\d+ \\(`).test(line)).length,
        1,
        label,
      );
  });

  it("take credentials, and show none in the list of processes", async () => {
    const { urls } = servers;
    const portOf = (url: string | undefined) => Number(new URL(url ?? "").port);
    assert.ok(await answers(portOf(urls.REDIS_URL), "PING\r\n", /^-NOAUTH/));
    assert.ok(
      await answers(
        portOf(urls.TRANSPORTER),
        'CONNECT {"verbose":true}\r\n',
        /-ERR 'Authorization Violation'/,
      ),
    );
    const wrong = new URL(urls.DATABASE_URL ?? "");
    wrong.password = "wrong";
    await assert.rejects(new Client({ connectionString: wrong.href }).connect(), { code: "28P01" });
    const passwords = Object.values(urls).map((url) => new URL(url).password);
    assert.equal(new Set(passwords).size, 4);
    for (const pid of (existsSync("/proc") ? readdirSync("/proc") : []).filter((name) =>
      /^\d+$/.test(name),
    )) {
      const commandLine = tryRead(`/proc/${pid}/cmdline`);
      for (const password of passwords)
        assert.ok(!commandLine.includes(password), `process ${pid} shows a password`);
    }
  });

  it("publish RabbitMQ's metrics", async () => {
    const answer = await fetch(servers.prometheusUrl ?? "");
    assert.match(await answer.text(), /rabbitmq_identity_info/);
  });

  it("come back on their data, port and password after kill -9, with a line that says so", async () => {
    await askRedis((redis) => redis.set("kept", "yes").then(() => redis.save()));
    const before = servers.server("redis").pid;
    servers.server("redis").kill("SIGKILL");
    await waitFor(() => lines.some((line) => line.startsWith("Redis is back on port")), {
      withinMs: 10_000,
    });
    assert.ok(
      lines.some((line) => /^Redis ended \(SIGKILL\).*starting it again on its data$/.test(line)),
    );
    assert.notEqual(servers.server("redis").pid, before);
    assert.equal(await askRedis((redis) => redis.get("kept")), "yes");
  });

  it("can be frozen, stopped on purpose, and started again where they were", async () => {
    const redis = servers.server("redis");
    redis.kill("SIGSTOP");
    await assert.rejects(askRedis((client) => client.ping()));
    await redis.stop();
    assert.equal(redis.pid, undefined);
    assert.ok(!(await answers(redis.port, "PING\r\n", /./)), "the supervisor did not restart it");
    await redis.restart();
    assert.equal(await askRedis((client) => client.get("kept")), "yes");
  });

  it("keep what PostgreSQL committed before a kill -9", async () => {
    const ask = async (sql: string): Promise<unknown[]> => {
      const client = new Client({
        connectionString: servers.urls.DATABASE_URL,
        connectionTimeoutMillis: 1_000,
      });
      client.on("error", () => undefined);
      await client.connect();
      return client
        .query(sql)
        .then(({ rows }) => rows as unknown[])
        .finally(() => client.end());
    };
    await ask("CREATE TABLE kept AS SELECT 1 AS one");
    servers.server("postgres").kill("SIGKILL");
    assert.deepEqual(await waitFor(() => ask("SELECT one FROM kept"), { withinMs: 20_000 }), [
      { one: 1 },
    ]);
  });

  it("leave no process when stopped, in less than 20 seconds", async () => {
    const running = rememberedServers(folder);
    assert.equal(stillRunning(running).length, 5, "four servers and RabbitMQ's port mapper");
    const began = performance.now();
    await servers.stop();
    assert.deepEqual(stillRunning(running), []);
    assert.ok(performance.now() - began < 20_000);
  });
});

describe("a program with servers that is killed", () => {
  it("leaves none of them running", async () => {
    const { folder, remove } = temporaryFolder();
    const program = spawn(
      process.execPath,
      [fileURLToPath(new URL("../support/processes/servers-program.ts", import.meta.url)), folder],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(program.stdout, "data");
    const running = rememberedServers(folder);
    assert.equal(stillRunning(running).length, 5);
    program.kill("SIGKILL");
    await waitFor(() => stillRunning(running).length === 0, { withinMs: 20_000 });
    remove();
  });
});

function tryRead(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
