import { type CleanedEnv, customCleanEnv } from "envalid";
import { TICKETS_PER_CUSTOMER_MAX } from "../domain/limits.ts";
import { type Environment, presentValues } from "./environment.ts";
import { SERVICE_NAMES } from "./services.ts";
import * as is from "./validators.ts";

const POSTGRES = ["postgres:", "postgresql:"] as const;
const REDIS = ["redis:", "rediss:"] as const;
const port = is.wholeNumber(1, 65_535);

/** Every variable: how it is validated, what it means, its default. */
const SPECS = {
  PORT: is.wholeNumber(0, 65_535)({ desc: "the gateway's port", default: 3_000 }),
  PORT_SHARING: is.oneOf(["on", "off"])({
    desc:
      "`on`: several gateways of one machine on one port, over which the kernel " +
      "spreads connections (Linux, BSD)",
    default: "off",
  }),
  HOST: is.text({
    desc: "the gateway's address; beyond loopback it wants TLS or TRUSTED_PROXIES",
    default: "127.0.0.1",
  }),
  DATA_DIR: is.text({
    desc: "where private servers keep their data, and generated secrets",
    default: ".data",
  }),
  SERVICES: is.services({
    desc: "the services this node runs, separated by commas",
    default: [...SERVICE_NAMES],
  }),
  DATABASE_URL: is.url(...POSTGRES)({
    desc:
      "an existing PostgreSQL instead of a private one, postgres://…, by the engine's role; " +
      "TLS by `?sslmode=verify-full`; of several hosts (`one:5432,two:5432`) the one that takes " +
      "writes",
    default: undefined,
  }),
  MIGRATION_DATABASE_URL: is.url(...POSTGRES)({
    desc:
      "the same database by the role that owns the schema; read by `migrate`, `start` and " +
      "`cluster`, never by a node",
    default: undefined,
  }),
  BACKUP_DATABASE_URL: is.url(...POSTGRES)({
    desc: "the same database by the role of backups, which `migrate` creates if it may",
    default: undefined,
  }),
  DATABASE_POOLER: is.oneOf(["none", "transaction"])({
    desc:
      "`transaction`: DATABASE_URL is a pooler in transaction mode (PgBouncer); statements are " +
      "then not prepared by name",
    default: "none",
  }),
  DATABASE_POOL_MAX: is.wholeNumber(
    1,
    10,
  )({
    desc:
      "connections of each pool of a node at most; the pools have 10 (`sale`), 5 (`worker`), " +
      "6 (`long`) by default",
    default: 10,
  }),
  REDIS_URL: is.url(...REDIS)({
    desc: "an existing Redis instead of a private one, redis://…, rediss://… for TLS",
    default: undefined,
  }),
  REDLOCK_URLS: is.urls(...REDIS)({
    desc: "independent Redis masters for the lease, separated by commas",
    default: [],
  }),
  AMQP_URL: is.url(
    "amqp:",
    "amqps:",
  )({
    desc: "an existing RabbitMQ instead of a private one, amqp://…, amqps://… for TLS",
    default: undefined,
  }),
  TRANSPORTER: is.url(
    "nats:",
    "tls:",
  )({
    desc: "an existing NATS instead of a private one, nats://…, tls://… for TLS",
    default: undefined,
  }),
  SERVERS_CA_FILE: is.text({
    desc:
      "certificates of the authorities that PostgreSQL, Redis, RabbitMQ and NATS are trusted by, " +
      "PEM; their URLs must then say TLS, except on loopback",
    default: undefined,
  }),
  SMTP_URL: is.url(
    "smtp:",
    "smtps:",
  )({
    desc:
      "the server that e-mails are sent by, smtp://user:password@host:587 (in production with " +
      "STARTTLS) or smtps://…; without it they are written to DATA_DIR/mail",
    default: undefined,
  }),
  MAIL_FROM: is.matching(
    /^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$/,
    "an address, Boxoffice <tickets@example.com>",
  )({
    desc: "the sender of e-mails, Boxoffice <tickets@example.com>",
    default: undefined,
  }),
  MAILS_PER_SECOND: is.wholeNumber(
    1,
    1_000,
  )({
    desc: "e-mails that each notifier sends at most; most mail services have a limit, too",
    default: 50,
  }),
  BUS_NAMESPACE: is.matching(
    /^[\w-]{1,64}$/,
    "letters, digits, _ and -, 64 at most",
  )({
    desc: "keeps engines apart that share one NATS; letters, digits, _ and -",
    default: "boxoffice",
  }),
  NODE_ID: is.text({ desc: "this node's name on the bus, unique and stable", default: undefined }),
  HEALTH_PORT: port({
    desc: "answers /healthz and /readyz for any kind of node; never the public port",
    default: undefined,
  }),
  METRICS_PORT: port({
    desc: "answers /metrics for Prometheus; never the public port",
    default: undefined,
  }),
  TLS_CERT_FILE: is.text({ desc: "the gateway's certificate chain, PEM", default: undefined }),
  TLS_KEY_FILE: is.text({ desc: "the certificate's key, PEM", default: undefined }),
  TRUSTED_PROXIES: is.proxies({
    desc:
      "proxies whose X-Forwarded-For counts: addresses or CIDR ranges, separated by commas, or " +
      "how many proxies every request passes",
    default: [],
  }),
  PUBLIC_URL: is.origin({
    desc:
      "where visitors reach the pages, https://tickets.example; shared links and search engines " +
      "are told it",
    default: undefined,
  }),
  CORS_ORIGINS: is.origins({
    desc:
      "origins whose pages may read answers, https://shop.example, separated by " +
      "commas; compared whole",
    default: [],
  }),
  BATCH_MAX: is.wholeNumber(
    1,
    5_000,
  )({
    desc: "commands a worker commits in one statement",
    default: 500,
  }),
  MAILBOX_MAX: is.wholeNumber(
    1,
    1_000_000,
  )({
    desc: "commands that may wait for one event's worker",
    default: 4_000,
  }),
  LEASE_MS: is.wholeNumber(
    500,
    60_000,
  )({
    desc: "life of an event's lease in milliseconds; renewed at a third",
    default: 3_000,
  }),
  TICKETS_PER_CUSTOMER_MAX: is.wholeNumber(
    1,
    10_000,
  )({
    desc: "active tickets one customer may hold of one event",
    default: TICKETS_PER_CUSTOMER_MAX,
  }),
  RATE_LIMITS: is.oneOf(["on", "off"])({
    desc: "`off` for load tests only; refused in production",
    default: "on",
  }),
  LOG_LEVEL: is.oneOf(["fatal", "error", "warn", "info", "debug", "trace"])({
    desc: "fatal, error, warn, info, debug or trace",
    default: "info",
  }),
  AUDIT_FILE: is.text({
    desc: "where the audit trail goes, appended to; its folder must exist",
    default: undefined,
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: is.url(
    "http:",
    "https:",
  )({
    desc: "where traces go: an OpenTelemetry collector, http://…:4318",
    default: undefined,
  }),
  OTEL_TRACES_SAMPLER_ARG: is.share({
    desc: "the share of requests that are traced, from 0 to 1",
    default: 1,
  }),
  NODE_ENV: is.oneOf(["development", "test", "production"])({
    desc: "`production` takes all defaults of secrets away",
    default: "development",
  }),
  INTERNAL_TOKEN_SECRET: is.secret({
    desc: "signs tokens between services; 32 characters or more, the same on every node",
    default: undefined,
  }),
  TRANSACTION_SECRET: is.secret({
    desc: "derives transaction ids; 32 characters or more, never changed, or a retry sells again",
    default: undefined,
  }),
  REFRESH_TOKEN_SECRET: is.secret({
    desc: "derives refresh tokens; 32 characters or more, the same on every auth node",
    default: undefined,
  }),
  MAIL_TOKEN_SECRET: is.secret({
    desc: "derives links in e-mails; 32 characters or more, the same on every auth and notifier node",
    default: undefined,
  }),
  ACCESS_TOKEN_KEYS_DIR: is.text({
    desc:
      "Ed25519 private keys, PEM, that sign access tokens (`npx boxoffice keys`); " +
      "read by auth only",
    default: undefined,
  }),
};

export type VariableName = keyof typeof SPECS;
export type Variables = CleanedEnv<typeof SPECS>;

/** What documentation says of a default that is no plain value. */
const DEFAULT_TEXTS: Partial<Record<VariableName, string>> = {
  DATABASE_URL: "private server",
  MIGRATION_DATABASE_URL: "DATABASE_URL",
  BACKUP_DATABASE_URL: "none",
  REDIS_URL: "private server",
  REDLOCK_URLS: "REDIS_URL",
  AMQP_URL: "private server",
  TRANSPORTER: "private server",
  SERVERS_CA_FILE: "the authorities that Node trusts",
  PUBLIC_URL: "the gateway's own address",
  SMTP_URL: "no e-mail is sent",
  MAIL_FROM: "Boxoffice <no-reply@HOST of PUBLIC_URL>",
  NODE_ID: "host name and process id",
  HEALTH_PORT: "not opened",
  METRICS_PORT: "not opened",
  TLS_CERT_FILE: "plain HTTP",
  TLS_KEY_FILE: "plain HTTP",
  TRUSTED_PROXIES: "none",
  CORS_ORIGINS: "none",
  AUDIT_FILE: "standard output; DATA_DIR/audit.log of `start` and `cluster` in development",
  OTEL_EXPORTER_OTLP_ENDPOINT: "no traces",
  INTERNAL_TOKEN_SECRET: "made in DATA_DIR",
  TRANSACTION_SECRET: "made in DATA_DIR",
  REFRESH_TOKEN_SECRET: "made in DATA_DIR",
  MAIL_TOKEN_SECRET: "made in DATA_DIR",
  ACCESS_TOKEN_KEYS_DIR: "DATA_DIR/secrets/access-keys",
};

type Documented = readonly [meaning: string, byDefault: string];

/** Meaning and default of every variable, for documentation. */
export const VARIABLES = documented();

function documented(): Readonly<Record<VariableName, Documented>> {
  const table = {} as Record<VariableName, Documented>;
  for (const name of Object.keys(SPECS) as VariableName[]) {
    const { desc, default: byDefault } = SPECS[name];
    table[name] = [desc ?? "", DEFAULT_TEXTS[name] ?? String(byDefault)];
  }
  return table;
}

/**
 * Validates every variable. A bad value is a problem, and its default is used to go on checking.
 */
export function readVariables(environment: Environment, problems: string[]): Variables {
  const defaults = Object.fromEntries(
    Object.entries(SPECS).map(([name, spec]) => [name, spec.default]),
  );
  const read = customCleanEnv(presentValues(environment), SPECS, (values) => values, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) problems.push(`${name} ${error.message}`);
    },
  });
  return { ...defaults, ...read };
}
