import { generateKeyPairSync, randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { SERVICE_NAMES, type ServiceName } from "./services.ts";
import { withFiles } from "./secret-files.ts";
import { productionProblems } from "./production-checks.ts";
import { createSecureContext } from "node:tls";

export { SERVICE_NAMES, type ServiceName } from "./services.ts";

/** The one description of every variable: its meaning, its default as the README shows it. A test compares README with this. */
export const VARIABLES = {
  PORT: ["the gateway's port", "3000"],
  PORT_SHARING: [
    "`on`: several gateways of one machine on one port, over which the kernel spreads connections (Linux, BSD)",
    "off",
  ],
  HOST: ["the gateway's address; beyond loopback it wants TLS or TRUSTED_PROXIES", "127.0.0.1"],
  DATA_DIR: ["where private servers keep their data, and generated secrets", ".data"],
  SERVICES: [
    "the services this node runs, separated by commas",
    "api,auth,catalog,purchasing,ledger",
  ],
  DATABASE_URL: ["an existing PostgreSQL instead of a private one, postgres://…", "private server"],
  REDIS_URL: ["an existing Redis instead of a private one, redis://…", "private server"],
  REDLOCK_URLS: ["independent Redis masters for the lease, separated by commas", "REDIS_URL"],
  AMQP_URL: ["an existing RabbitMQ instead of a private one, amqp://…", "private server"],
  TRANSPORTER: ["an existing NATS instead of a private one, nats://…", "private server"],
  BUS_NAMESPACE: ["keeps engines apart that share one NATS; letters, digits, _ and -", "boxoffice"],
  NODE_ID: ["this node's name on the bus, unique and stable", "host name and process id"],
  HEALTH_PORT: [
    "answers /healthz and /readyz for any kind of node; never the public port",
    "not opened",
  ],
  METRICS_PORT: ["answers /metrics for Prometheus; never the public port", "not opened"],
  TLS_CERT_FILE: ["the gateway's certificate chain, PEM", "plain HTTP"],
  TLS_KEY_FILE: ["the certificate's key, PEM", "plain HTTP"],
  TRUSTED_PROXIES: [
    "addresses or CIDR ranges of proxies whose X-Forwarded-For counts, separated by commas",
    "none",
  ],
  CORS_ORIGINS: [
    "origins whose pages may read answers, https://shop.example, separated by commas; compared whole",
    "none",
  ],
  BATCH_MAX: ["commands a worker commits in one statement", "500"],
  MAILBOX_MAX: ["commands that may wait for one event's worker", "4000"],
  LEASE_MS: ["life of an event's lease in milliseconds; renewed at a third", "3000"],
  TICKETS_PER_CUSTOMER_MAX: ["active tickets one customer may hold of one event", "10"],
  RATE_LIMITS: ["`off` for load tests only; refused in production", "on"],
  LOG_LEVEL: ["fatal, error, warn, info, debug or trace", "info"],
  AUDIT_FILE: [
    "where the audit trail goes, appended to; its folder must be there",
    "standard output",
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: [
    "where traces go: an OpenTelemetry collector, http://…:4318",
    "no traces",
  ],
  OTEL_TRACES_SAMPLER_ARG: ["the share of requests that are traced, from 0 to 1", "1"],
  NODE_ENV: ["`production` takes all defaults of secrets away", "development"],
  INTERNAL_TOKEN_SECRET: [
    "signs tokens between services; 32 characters or more, the same on every node",
    "made in DATA_DIR",
  ],
  TRANSACTION_SECRET: [
    "derives transaction ids; 32 characters or more, never changed, or a retry sells again",
    "made in DATA_DIR",
  ],
  REFRESH_TOKEN_SECRET: [
    "derives refresh tokens; 32 characters or more, the same on every auth node",
    "made in DATA_DIR",
  ],
  ACCESS_TOKEN_KEYS_DIR: [
    "Ed25519 private keys, PEM, that sign access tokens (`npx boxoffice keys`); read by auth only",
    "DATA_DIR/secrets/access-keys",
  ],
} as const satisfies Record<string, readonly [meaning: string, byDefault: string]>;

type VariableName = keyof typeof VARIABLES;
export type Environment = Readonly<Record<string, string | undefined>>;

/** All that is wrong with the environment, in one message. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
    this.name = "ConfigError";
    this.problems = problems;
  }
}

export type Config = ReturnType<typeof readConfig>;

/**
 * Reads the environment once. An empty value means unset. Every problem is collected and thrown together as a ConfigError.
 * Outside production, missing secrets are made once and kept in DATA_DIR/secrets (mode 0600), so that a restart or a second
 * node of the same folder signs with the same keys.
 */
export function readConfig(outside: Environment) {
  const { environment, problems } = withFiles(outside);
  const value = (name: VariableName): string | undefined => {
    const text = environment[name]?.trim();
    return text === "" ? undefined : text;
  };
  const production = value("NODE_ENV") === "production";
  const dataDir = resolve(value("DATA_DIR") ?? ".data");

  const integer = <T extends number | undefined>(
    name: VariableName,
    least: number,
    most: number,
    byDefault: T,
  ): number | T => {
    const text = value(name);
    if (text === undefined) return byDefault;
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    problems.push(
      `${name} is "${text}"; give a whole number from ${least} to ${most} (${VARIABLES[name][0]})`,
    );
    return byDefault;
  };
  const oneOf = <T extends string>(name: VariableName, words: readonly T[], byDefault: T): T => {
    const text = value(name) ?? byDefault;
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) problems.push(`${name} is "${text}"; give one of ${words.join(", ")}`);
    return word ?? byDefault;
  };
  const list = (name: VariableName): string[] =>
    (value(name) ?? "")
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean);
  /** The password a URL may carry is never repeated in a message. */
  const url = (
    name: VariableName,
    text: string | undefined,
    protocols: readonly string[],
  ): string | undefined => {
    if (text === undefined || (URL.canParse(text) && protocols.includes(new URL(text).protocol)))
      return text;
    problems.push(
      `${name} is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
    );
    return undefined;
  };
  const secret = (
    name: "INTERNAL_TOKEN_SECRET" | "TRANSACTION_SECRET" | "REFRESH_TOKEN_SECRET",
  ): string => {
    const text =
      value(name) ??
      (production
        ? undefined
        : keptSecret(dataDir, name.toLowerCase(), () => randomBytes(48).toString("base64url")));
    if (text !== undefined && text.length >= 32) return text;
    problems.push(
      text === undefined
        ? `${name} is missing; production has no default for it`
        : `${name} is shorter than 32 characters`,
    );
    return "";
  };

  const services = list("SERVICES");
  for (const name of services)
    if (!SERVICE_NAMES.some((known) => known === name))
      problems.push(`SERVICES names "${name}"; known are ${SERVICE_NAMES.join(", ")}`);
  const runs: ServiceName[] =
    services.length === 0
      ? [...SERVICE_NAMES]
      : SERVICE_NAMES.filter((name) => services.includes(name));

  const host = value("HOST") ?? "127.0.0.1";
  const port = integer("PORT", 0, 65535, 3000);
  const healthPort = integer("HEALTH_PORT", 1, 65535, undefined);
  const metricsPort = integer("METRICS_PORT", 1, 65535, undefined);
  const opened = [port, healthPort, metricsPort].filter(
    (number) => number !== undefined && number !== 0,
  );
  if (new Set(opened).size !== opened.length)
    problems.push("PORT, HEALTH_PORT and METRICS_PORT must differ");
  const trustedProxies = list("TRUSTED_PROXIES");
  for (const proxy of trustedProxies)
    if (!isAddressRange(proxy))
      problems.push(
        `TRUSTED_PROXIES names "${proxy}"; give IP addresses or ranges like 10.0.0.0/8`,
      );
  const corsOrigins = list("CORS_ORIGINS");
  for (const origin of corsOrigins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      problems.push(
        `CORS_ORIGINS names "${origin}"; give scheme, host and port as browsers do, https://shop.example`,
      );
  const certificate = pemFile("TLS_CERT_FILE", value("TLS_CERT_FILE"), problems);
  const certificateKey = pemFile("TLS_KEY_FILE", value("TLS_KEY_FILE"), problems);
  if ((value("TLS_CERT_FILE") === undefined) !== (value("TLS_KEY_FILE") === undefined))
    problems.push("TLS_CERT_FILE and TLS_KEY_FILE go together");
  if (certificate && certificateKey && !isKeyPair(certificate.pem, certificateKey.pem))
    problems.push("TLS_CERT_FILE and TLS_KEY_FILE are not a certificate and its key in PEM");
  const loopback = host === "localhost" || host === "::1" || host.startsWith("127.");
  if (runs.includes("api") && !loopback && certificate === undefined && trustedProxies.length === 0)
    problems.push(
      `HOST is ${host}, which others can reach, without TLS: set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXIES`,
    );

  const namespace = value("BUS_NAMESPACE") ?? "boxoffice";
  if (!/^[\w-]{1,64}$/.test(namespace))
    problems.push("BUS_NAMESPACE takes letters, digits, _ and -, 64 at most");

  const rateLimits = oneOf("RATE_LIMITS", ["on", "off"], "on");
  if (production && rateLimits === "off")
    problems.push("RATE_LIMITS=off is for load tests and refused in production");
  // A word misspelt must not make an engine for everybody out of one for a laptop.
  oneOf("NODE_ENV", ["development", "test", "production"], "development");
  if (production) problems.push(...productionProblems((name) => value(name as VariableName)));

  const redisUrl = url("REDIS_URL", value("REDIS_URL"), ["redis:", "rediss:"]);
  const lockUrls = list("REDLOCK_URLS").flatMap(
    (text) => url("REDLOCK_URLS", text, ["redis:", "rediss:"]) ?? [],
  );

  const tracesUrl = url("OTEL_EXPORTER_OTLP_ENDPOINT", value("OTEL_EXPORTER_OTLP_ENDPOINT"), [
    "http:",
    "https:",
  ]);
  const tracesShare = value("OTEL_TRACES_SAMPLER_ARG") ?? "1";
  if (!/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/.test(tracesShare))
    problems.push(`OTEL_TRACES_SAMPLER_ARG is "${tracesShare}"; give 0 to 1, as 0.05`);

  const config = {
    production,
    services: runs,
    namespace,
    nodeId: value("NODE_ID") ?? `${hostname()}-${process.pid}`,
    logLevel: oneOf("LOG_LEVEL", ["fatal", "error", "warn", "info", "debug", "trace"], "info"),
    auditFile: appendable("AUDIT_FILE", value("AUDIT_FILE"), problems),
    dataDir,
    host,
    port,
    portSharing: oneOf("PORT_SHARING", ["on", "off"], "off") === "on",
    healthPort,
    metricsPort,
    traces: tracesUrl === undefined ? undefined : { url: tracesUrl, share: Number(tracesShare) },
    tls: certificate &&
      certificateKey && {
        cert: certificate.pem,
        certFile: certificate.file,
        key: certificateKey.pem,
        keyFile: certificateKey.file,
      },
    trustedProxies,
    corsOrigins,
    databaseUrl: url("DATABASE_URL", value("DATABASE_URL"), ["postgres:", "postgresql:"]),
    redisUrl,
    lockUrls: lockUrls.length > 0 ? lockUrls : redisUrl === undefined ? [] : [redisUrl],
    amqpUrl: url("AMQP_URL", value("AMQP_URL"), ["amqp:", "amqps:"]),
    transporter: url("TRANSPORTER", value("TRANSPORTER"), ["nats:"]),
    batchMax: integer("BATCH_MAX", 1, 5_000, 500),
    mailboxMax: integer("MAILBOX_MAX", 1, 1_000_000, 4_000),
    leaseMs: integer("LEASE_MS", 500, 60_000, 3_000),
    ticketsPerCustomerMax: integer("TICKETS_PER_CUSTOMER_MAX", 1, 10_000, 10),
    rateLimits: rateLimits === "on",
    internalTokenSecret: secret("INTERNAL_TOKEN_SECRET"),
    transactionSecret: runs.includes("purchasing") ? secret("TRANSACTION_SECRET") : "",
    refreshTokenSecret: runs.includes("auth") ? secret("REFRESH_TOKEN_SECRET") : "",
    accessTokenKeysDir: accessTokenKeysDirOf(environment),
  };
  if (runs.includes("auth"))
    requireAccessTokenKeys(
      value("ACCESS_TOKEN_KEYS_DIR"),
      config.accessTokenKeysDir,
      production,
      problems,
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The private servers' addresses, by the variables that would name existing ones. */
export type ServerUrls = {
  DATABASE_URL: string;
  REDIS_URL: string;
  AMQP_URL: string;
  TRANSPORTER: string;
};

/** A node cannot run without its four servers: says which are missing. */
export function requireServers(config: Config): {
  databaseUrl: string;
  redisUrl: string;
  amqpUrl: string;
  transporter: string;
} {
  const { databaseUrl, redisUrl, amqpUrl, transporter } = config;
  if (
    databaseUrl !== undefined &&
    redisUrl !== undefined &&
    amqpUrl !== undefined &&
    transporter !== undefined
  )
    return { databaseUrl, redisUrl, amqpUrl, transporter };
  const missing = Object.entries({
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    AMQP_URL: amqpUrl,
    TRANSPORTER: transporter,
  });
  throw new ConfigError(
    missing.filter(([, set]) => set === undefined).map(([name]) => `${name} is missing`),
  );
}

/** The process's own environment, with what NAME_FILE names where that can be read: the only place that touches it. */
export function processEnvironment(): Environment {
  return withFiles(process.env).environment;
}

function keptSecret(dataDir: string, name: string, make: () => string): string {
  const folder = join(dataDir, "secrets");
  mkdirSync(dataDir, { recursive: true }); // Open to the servers' users, who keep their data beside the closed folder of secrets.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return keptFile(folder, name, make);
}

function keptFile(folder: string, name: string, make: () => string): string {
  const file = join(folder, name);
  try {
    writeFileSync(file, make(), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8");
}

/** Opened once, so that a trail nobody could write stops the start and not the first sale. */
function appendable(
  name: string,
  file: string | undefined,
  problems: string[],
): string | undefined {
  if (file === undefined) return undefined;
  try {
    closeSync(openSync(file, "a", 0o600));
  } catch {
    problems.push(`${name} names a file that cannot be written; its folder must be there`);
  }
  return file;
}

function pemFile(
  name: string,
  file: string | undefined,
  problems: string[],
): { file: string; pem: string } | undefined {
  if (file === undefined) return undefined;
  try {
    return { file: resolve(file), pem: readFileSync(file, "utf8") };
  } catch {
    problems.push(`${name} names a file that cannot be read`);
    return undefined;
  }
}

function isKeyPair(cert: string, key: string): boolean {
  try {
    return createSecureContext({ cert, key }) !== undefined;
  } catch {
    return false;
  }
}

/** An IP address, or one with the length of its network part. */
function isAddressRange(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    rest.length === 0 &&
    bits > 0 &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  );
}

/** Where the keys of access tokens are; also for the command that makes the first one, before a configuration can be whole. */
export function accessTokenKeysDirOf(environment: Environment): string {
  const [named = "", dataDir = ""] = [
    environment.ACCESS_TOKEN_KEYS_DIR?.trim(),
    environment.DATA_DIR?.trim(),
  ];
  return named === ""
    ? join(resolve(dataDir === "" ? ".data" : dataDir), "secrets", "access-keys")
    : resolve(named);
}

/** Outside production the first key makes itself: named by a moment long ago, so that two nodes at once agree on one. */
function requireAccessTokenKeys(
  named: string | undefined,
  folder: string,
  production: boolean,
  problems: string[],
): void {
  const advice = `make one: npx boxoffice keys rotate`;
  if (named === undefined && production) {
    problems.push(`ACCESS_TOKEN_KEYS_DIR is missing; production has no default for it (${advice})`);
    return;
  }
  try {
    if (named === undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (readdirSync(folder).some((file) => file.endsWith(".pem"))) return;
    if (named === undefined)
      keptFile(folder, "19700101T000000Z.pem", () =>
        generateKeyPairSync("ed25519")
          .privateKey.export({ type: "pkcs8", format: "pem" })
          .toString(),
      );
    else problems.push(`ACCESS_TOKEN_KEYS_DIR holds no *.pem; ${advice}`);
  } catch {
    problems.push(`ACCESS_TOKEN_KEYS_DIR names a folder that cannot be read; ${advice}`);
  }
}
