// TLS to the four servers in the configuration: what is refused, and what is completed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type Config, ConfigError, type Environment, readConfig } from "../../config/index.ts";
import { databaseUrlsOf } from "../../config/servers.ts";
import { makeAuthority } from "../../tools/testing/certificate.ts";
import { temporaryFolder } from "../support/processes/processes.ts";

describe("the configuration of TLS to the servers", () => {
  const { folder, remove } = temporaryFolder();
  after(remove);
  const SERVERS_CA_FILE = makeAuthority(folder, "ca").certFile;

  const read = (environment: Environment): Config =>
    readConfig({ DATA_DIR: join(folder, "data"), SERVERS_CA_FILE, ...environment });
  const refused = (environment: Environment, ...problems: string[]): void =>
    assert.throws(
      () => read(environment),
      (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.deepEqual(error.problems, problems);
        return true;
      },
    );

  it("S41: with SERVERS_CA_FILE a server beyond loopback has TLS, and PostgreSQL's certificate is verified whole", () => {
    const plain = "has no TLS, but SERVERS_CA_FILE is set; give";
    refused(
      {
        DATABASE_URL: "postgres://u:p@db/d?sslmode=disable",
        REDIS_URL: "redis://redis",
        REDLOCK_URLS: "rediss://a,redis://b,redis://c",
        AMQP_URL: "amqp://u:p@rabbit",
        TRANSPORTER: "nats://nats",
      },
      `DATABASE_URL ${plain} ?sslmode=verify-full`,
      `REDIS_URL ${plain} rediss://…`,
      `REDLOCK_URLS ${plain} rediss://…`,
      `AMQP_URL ${plain} amqps://…`,
      `TRANSPORTER ${plain} tls://…`,
    );
    read({ REDIS_URL: "redis://127.0.0.1", TRANSPORTER: "nats://localhost" });
    for (const mode of ["verify-full", "verify-ca", "require"]) {
      const DATABASE_URL = `postgres://u:p%40@db/d?sslmode=${mode}`;
      const verified = new URL(read({ DATABASE_URL }).databaseUrl ?? "");
      assert.equal(verified.searchParams.get("sslmode"), "verify-full");
      assert.equal(verified.searchParams.get("sslrootcert"), SERVERS_CA_FILE);
      assert.equal(verified.password, "p%40");
    }
    refused(
      { DATABASE_URL: "postgres://u:p@db/d?sslmode=no-verify" },
      "DATABASE_URL does not verify PostgreSQL's certificate; give sslmode=verify-full",
    );
  });

  it("leaves the URLs of those who name no authority as they are", () => {
    const urls = {
      DATABASE_URL: "postgres://u:p@db/d",
      REDIS_URL: "rediss://redis",
      AMQP_URL: "amqp://u:p@rabbit",
      TRANSPORTER: "tls://nats",
    };
    const config = read({ ...urls, SERVERS_CA_FILE: "" });
    const { databaseUrl, redisUrl, amqpUrl, transporter, serversCa } = config;
    assert.deepEqual([databaseUrl, redisUrl, amqpUrl, transporter], Object.values(urls));
    assert.equal(serversCa, undefined);
  });

  it("reads the database's URLs alone for the commands of jobs", () => {
    const DATABASE_URL = "postgres://engine:p@db/d?sslmode=verify-full";
    const { searchParams } = new URL(
      databaseUrlsOf({ DATABASE_URL, SERVERS_CA_FILE }).DATABASE_URL ?? "",
    );
    assert.equal(searchParams.get("sslrootcert"), SERVERS_CA_FILE);
    const MIGRATION_DATABASE_URL = "postgres://owner:p@db/d";
    assert.throws(
      () => databaseUrlsOf({ MIGRATION_DATABASE_URL, SERVERS_CA_FILE }),
      /MIGRATION_DATABASE_URL has no TLS/,
    );
    assert.deepEqual(databaseUrlsOf({ MIGRATION_DATABASE_URL }), { MIGRATION_DATABASE_URL });
  });
});
