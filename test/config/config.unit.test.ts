// The environment, read once: every variable's bad values, all problems in one message, nothing
// secret in it, and what production refuses.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type Config,
  ConfigError,
  type Environment,
  readConfig,
  VARIABLES,
} from "../../config/index.ts";

const drawn = (): string => randomBytes(48).toString("base64url");

const SECRETS = ["INTERNAL_TOKEN", "TRANSACTION", "REFRESH_TOKEN", "MAIL_TOKEN"].map(
  (name) => `${name}_SECRET`,
);

/** Values that must be refused, by variable. */
const BAD: Record<keyof typeof VARIABLES, readonly string[]> = {
  PUBLIC_URL: ["tickets.example", "https://tickets.example/", "https://tickets.example/shop", "*"],
  // Any text is a folder or a name.
  DATA_DIR: [],
  NODE_ID: [],
  PORT: ["-1", "65536", "80.5", "http", "1e3", "0x50"],
  HOST: ["0.0.0.0", "192.0.2.1", "::"],
  SERVICES: ["api,sales", "API"],
  DATABASE_URL: [
    "mysql://u:p@h/d",
    "localhost",
    "postgres",
    "postgres://u:p@h/d?sslmode=no-verify",
    "postgres://u:p@h/d?sslrootcert=/does/not/exist.pem",
  ],
  MIGRATION_DATABASE_URL: ["mysql://u:p@h/d", "postgres://u:p@h/d?sslmode=no-verify"],
  BACKUP_DATABASE_URL: [
    "mysql://u:p@h/d",
    "postgres://u:p@h/d?uselibpqcompat=true&sslmode=require",
  ],
  SERVERS_CA_FILE: ["/does/not/exist.pem", import.meta.filename],
  DATABASE_POOLER: ["session", "on"],
  DATABASE_POOL_MAX: ["0", "11"],
  REDIS_URL: ["http://h", "6379"],
  REDLOCK_URLS: ["redis://h,nonsense"],
  AMQP_URL: ["http://h", "rabbit"],
  TRANSPORTER: ["amqp://h", "NATS"],
  SMTP_URL: ["smtp.example.com:587", "http://smtp.example.com"],
  MAIL_FROM: ["Boxoffice", "a@b\r\nBcc: c@d"],
  MAILS_PER_SECOND: ["0", "1001", "many"],
  BUS_NAMESPACE: ["a b", "a.b", "x".repeat(65)],
  HEALTH_PORT: ["0", "65536", "x"],
  METRICS_PORT: ["0", "-5", "x"],
  TLS_CERT_FILE: ["/does/not/exist.pem"],
  TLS_KEY_FILE: ["/does/not/exist.pem"],
  PORT_SHARING: ["yes", "1"],
  BATCH_MAX: ["0", "5001", "many"],
  MAILBOX_MAX: ["0", "1.5"],
  LEASE_MS: ["499", "60001", "3s"],
  TICKETS_PER_CUSTOMER_MAX: ["0", "10001"],
  RATE_LIMITS: ["0", "OFF", "false"],
  LOG_LEVEL: ["verbose", "INFO"],
  AUDIT_FILE: ["/does/not/exist/audit.log"],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["collector:4318", "grpc://collector:4317"],
  OTEL_TRACES_SAMPLER_ARG: ["2", "1.5", "-0.1", "5%", ".5"],
  NODE_ENV: ["prod", "Production", "PRODUCTION"],
  INTERNAL_TOKEN_SECRET: ["short"],
  TRANSACTION_SECRET: ["short"],
  REFRESH_TOKEN_SECRET: ["short"],
  MAIL_TOKEN_SECRET: ["short"],
  ACCESS_TOKEN_KEYS_DIR: ["/does/not/exist"],
  TRUSTED_PROXIES: ["proxy", "10.0.0.0/33", "10.0.0.1,x"],
  CORS_ORIGINS: ["shop.example", "https://shop.example/", "*", "null"],
};

describe("the configuration", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "boxoffice-config-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const read = (environment: Environment): Config =>
    readConfig({ DATA_DIR: join(folder, "data"), ...environment });
  const problemsOf = (environment: Environment): readonly string[] => {
    try {
      read(environment);
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      for (const problem of error.problems) assert.ok(error.message.includes(problem));
      return error.problems;
    }
  };
  const named = (environment: Environment, name: string): boolean =>
    problemsOf(environment).some((problem) => problem.includes(name));

  /** Everything production asks for. */
  const production = (): Environment => {
    const keys = join(folder, "keys");
    mkdirSync(keys, { recursive: true });
    writeFileSync(
      join(keys, "19700101T000000Z.pem"),
      generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
    );
    return {
      NODE_ENV: "production",
      INTERNAL_TOKEN_SECRET: drawn(),
      TRANSACTION_SECRET: drawn(),
      REFRESH_TOKEN_SECRET: drawn(),
      MAIL_TOKEN_SECRET: drawn(),
      PUBLIC_URL: "https://tickets.example.com",
      ACCESS_TOKEN_KEYS_DIR: keys,
      DATABASE_URL: `postgres://boxoffice:${drawn()}@db/boxoffice`,
      REDIS_URL: `redis://:${drawn()}@redis`,
      AMQP_URL: `amqp://boxoffice:${drawn()}@rabbit`,
      TRANSPORTER: `nats://${drawn()}@nats`,
    };
  };

  it("says of every bad value which variable it is", () => {
    for (const [name, values] of Object.entries(BAD)) {
      for (const value of values) assert.ok(named({ [name]: value }, name), `${name}=${value}`);
    }
  });

  it("takes an empty value, or one of blanks, as unset", () => {
    const unset = read({});
    for (const blank of ["", "  "]) {
      const environment = Object.fromEntries(
        Object.keys(VARIABLES).map((name) => [
          name,
          name === "DATA_DIR" ? join(folder, "data") : blank,
        ]),
      );
      assert.deepEqual({ ...read(environment), nodeId: "" }, { ...unset, nodeId: "" });
    }
    assert.deepEqual(
      [unset.port, unset.host, unset.rateLimits, unset.logLevel, unset.production],
      [3000, "127.0.0.1", true, "info", false],
    );
  });

  it("reports all problems together", () => {
    const several = {
      PORT: "x",
      RATE_LIMITS: "no",
      LOG_LEVEL: "loud",
      TLS_CERT_FILE: "/does/not/exist",
      TRANSACTION_SECRET: "short",
    };
    const problems = problemsOf(several);
    for (const name of Object.keys(several))
      assert.ok(
        problems.some((problem) => problem.includes(name)),
        name,
      );
    assert.ok(named({ PORT: "4000", HEALTH_PORT: "4000" }, "must differ"));
  });

  it("repeats no secret and no password", () => {
    const secrets = [
      "hunter2hunter2",
      "amqp-password",
      "db-password",
      "redis-password",
      "nats-password",
    ];
    const [token = "", amqp, database, redis, nats] = secrets;
    const words = problemsOf({
      INTERNAL_TOKEN_SECRET: token,
      TRANSACTION_SECRET: token,
      AMQP_URL: `http://u:${amqp}@h`,
      DATABASE_URL: `mysql://u:${database}@h`,
      REDIS_URL: `tcp://:${redis}@h`,
      TRANSPORTER: `tls://u:${nats}@h`,
    }).join("\n");
    assert.ok(words.length > 0);
    for (const secret of secrets) assert.ok(!words.includes(secret), words);
  });

  it("makes secrets once outside production, and closes them to others", () => {
    const first = read({});
    assert.deepEqual(
      [first.internalTokenSecret, first.transactionSecret],
      [read({}).internalTokenSecret, read({}).transactionSecret],
    );
    const file = join(folder, "data", "secrets", "transaction_secret");
    assert.equal(readFileSync(file, "utf8"), first.transactionSecret);
    assert.equal(statSync(file).mode & 0o077, 0);
  });

  it("reads what is secret from files too, and says what is wrong with them", () => {
    const file = join(folder, "a-secret");
    const secret = drawn();
    writeFileSync(file, `${secret}\n`);
    const others = { ...production(), INTERNAL_TOKEN_SECRET: undefined };
    assert.equal(read({ ...others, INTERNAL_TOKEN_SECRET_FILE: file }).internalTokenSecret, secret);
    assert.ok(named({ ...production(), INTERNAL_TOKEN_SECRET_FILE: file }, "are both set"));
    assert.ok(
      named({ ...others, INTERNAL_TOKEN_SECRET_FILE: "/does/not/exist" }, "cannot be read"),
    );
    writeFileSync(file, "\n");
    assert.ok(named({ ...others, INTERNAL_TOKEN_SECRET_FILE: file }, "empty file"));
  });

  it("S30: does not start in production without every secret, and names them all", () => {
    const problems = problemsOf({ NODE_ENV: "production" }).join("\n");
    for (const name of [...SECRETS, "PUBLIC_URL", "ACCESS_TOKEN_KEYS_DIR"])
      assert.match(problems, new RegExp(`${name} is missing`));
    assert.deepEqual(problemsOf(production()), []);
  });

  it("S30: does not start in production with secrets that are guessable, too short or the same", () => {
    const guessable = [
      "a".repeat(64),
      "ab".repeat(32),
      "changeme".repeat(5),
      "change-me-0123456789-abcdefghijkl",
      "my-super-secret-value-for-tokens-1",
      "abcdefghijklmnopqrstuvwxyz0123456789",
      "0123456789abcdef".repeat(3),
      "aaaaaaaabbbbbbbbccccccccdddddddd",
      "this is an example of a passphrase",
    ];
    for (const name of SECRETS) {
      for (const secret of guessable)
        assert.ok(named({ ...production(), [name]: secret }, name), secret);
      assert.ok(
        named({ ...production(), [name]: randomBytes(15).toString("hex") }, name),
        "too short",
      );
    }
    for (const encoding of ["hex", "base64", "base64url"] as const)
      for (let round = 0; round < 200; round += 1) {
        const secret = randomBytes(24).toString(encoding);
        assert.ok(
          !named({ ...production(), INTERNAL_TOKEN_SECRET: secret }, "INTERNAL_TOKEN_SECRET"),
          secret,
        );
      }
    const one = drawn();
    assert.ok(
      named(
        { ...production(), INTERNAL_TOKEN_SECRET: one, TRANSACTION_SECRET: one },
        "is the same as",
      ),
    );
  });

  it("S30: does not start in production with limits off, proxies that are everybody, or no audit trail", () => {
    for (const bad of [
      { RATE_LIMITS: "off" },
      { TRUSTED_PROXIES: "0.0.0.0/0" },
      { TRUSTED_PROXIES: "10.0.0.1,::/0" },
      { TRUSTED_PROXIES: "0.0.0.0/1,128.0.0.0/1" },
      { TRUSTED_PROXIES: "10.0.0.0/8" },
      { TRUSTED_PROXIES: "8.0.0.0/5" },
      { TRUSTED_PROXIES: "10.0.0.0/9, 10.128.0.0/9" },
      { TRUSTED_PROXIES: "192.0.2.7,172.16.0.0/12" },
      { TRUSTED_PROXIES: "192.168.77.1/16" },
      { TRUSTED_PROXIES: "100.64.0.0/10" },
      { TRUSTED_PROXIES: "fc00::/7" },
      { TRUSTED_PROXIES: "fd00::/8" },
      { AUDIT_FILE: "/dev/null" },
    ])
      assert.ok(named({ ...production(), ...bad }, Object.keys(bad)[0] ?? ""), JSON.stringify(bad));
    assert.ok(!named({ RATE_LIMITS: "off" }, "RATE_LIMITS"), "load tests may");
    for (const TRUSTED_PROXIES of ["10.244.0.0/16", "10.0.0.7, fd00:1::/64", "2"])
      assert.ok(!named({ ...production(), TRUSTED_PROXIES }, "TRUSTED_PROXIES"), TRUSTED_PROXIES);
    for (const TRUSTED_PROXIES of ["0", "10", "1,10.0.0.7", "-1"])
      assert.ok(named({ TRUSTED_PROXIES }, "TRUSTED_PROXIES"), TRUSTED_PROXIES);
  });

  it("S29: does not start in production on servers without credentials, or with the ones they come with", () => {
    for (const bad of [
      { DATABASE_URL: "postgres://db/boxoffice" },
      { DATABASE_URL: "postgres://postgres:postgres@db/boxoffice" },
      { REDIS_URL: "redis://redis:6379" },
      { REDLOCK_URLS: `redis://:${drawn()}@a,redis://b` },
      { AMQP_URL: "amqp://guest:guest@rabbit" },
      { TRANSPORTER: "nats://nats:4222" },
    ])
      assert.ok(named({ ...production(), ...bad }, Object.keys(bad)[0] ?? ""), JSON.stringify(bad));
  });

  it("S24: does not listen beyond loopback without TLS or a named proxy, in production or not", () => {
    for (const environment of [{}, production()])
      for (const HOST of ["0.0.0.0", "::", "192.0.2.7"]) {
        assert.ok(named({ ...environment, HOST }, "HOST"));
        assert.ok(!named({ ...environment, HOST, TRUSTED_PROXIES: "10.1.0.0/16" }, "HOST"));
      }
  });
});
