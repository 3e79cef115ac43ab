// The only reader of the environment.
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import { type Environment, presentValues } from "./environment.ts";
import {
  accessTokenKeyProblems,
  accessTokenKeysDirOf,
  generatedSecret,
} from "./generated-secrets.ts";
import { networkProblems, readTls } from "./network.ts";
import { productionProblems } from "./production-checks.ts";
import { withFiles } from "./secret-files.ts";
import { readServersCa, serverTlsProblems, verifiedDatabaseUrl } from "./server-tls.ts";
import { readVariables } from "./variables.ts";

export { ConfigError } from "./config-error.ts";
export { addressOf, urlsByHost } from "./database-hosts.ts";
export { type Environment, processEnvironment } from "./environment.ts";
export { accessTokenKeysDirOf } from "./generated-secrets.ts";
export {
  databaseUrlsOf,
  type DatabaseUrls,
  requireServers,
  type ServerUrls,
  serverUrlsOf,
} from "./servers.ts";
export { SERVICE_NAMES, type ServiceName } from "./services.ts";
export { VARIABLES } from "./variables.ts";

export type Config = ReturnType<typeof readConfig>;

/**
 * Reads the environment. An empty value means unset. Throws all problems together as a ConfigError.
 * Outside production, missing secrets are generated once and kept in DATA_DIR/secrets (mode 0600):
 * a restart, or a second node of the same folder, signs with the same keys.
 */
export function readConfig(outside: Environment) {
  const { environment, problems } = withFiles(outside);
  const variables = readVariables(environment, problems);
  const present = presentValues(environment);
  const production = present.NODE_ENV === "production";
  const dataDir = resolve(variables.DATA_DIR);
  const services = variables.SERVICES;

  const secret = (name: SecretName): string => {
    // A bad value is a problem already.
    const value = variables[name] ?? present[name];
    if (value !== undefined) return value;
    if (!production) return generatedSecret(dataDir, name.toLowerCase());
    problems.push(`${name} is missing; production has no default for it`);
    return "";
  };
  const tls = readTls(variables, problems);
  problems.push(...networkProblems(variables, tls !== undefined));
  const serversCa = readServersCa(variables.SERVERS_CA_FILE, problems);
  problems.push(...serverTlsProblems(present, serversCa));
  const database = (url: string | undefined) => url && verifiedDatabaseUrl(url, serversCa);
  if (production) problems.push(...productionProblems(present));
  const redisUrl = variables.REDIS_URL;
  const lockUrls = variables.REDLOCK_URLS;
  const siteUrl = variables.PUBLIC_URL ?? `http://127.0.0.1:${variables.PORT}`;
  if (production && services.includes("notifier") && variables.PUBLIC_URL === undefined)
    problems.push("PUBLIC_URL is missing; links in e-mails need the web app's address");
  const tracesUrl = variables.OTEL_EXPORTER_OTLP_ENDPOINT;

  const config = {
    production,
    services,
    namespace: variables.BUS_NAMESPACE,
    nodeId: variables.NODE_ID ?? `${hostname()}-${process.pid}`,
    logLevel: variables.LOG_LEVEL,
    auditFile: appendable("AUDIT_FILE", variables.AUDIT_FILE, problems),
    dataDir,
    host: variables.HOST,
    port: variables.PORT,
    portSharing: variables.PORT_SHARING === "on",
    healthPort: variables.HEALTH_PORT,
    metricsPort: variables.METRICS_PORT,
    traces:
      tracesUrl === undefined
        ? undefined
        : { url: tracesUrl, share: variables.OTEL_TRACES_SAMPLER_ARG },
    tls,
    trustedProxies: variables.TRUSTED_PROXIES,
    publicUrl: variables.PUBLIC_URL,
    corsOrigins: variables.CORS_ORIGINS,
    databaseUrl: database(variables.DATABASE_URL),
    migrationDatabaseUrl: database(variables.MIGRATION_DATABASE_URL),
    backupDatabaseUrl: database(variables.BACKUP_DATABASE_URL),
    databasePooler: variables.DATABASE_POOLER === "transaction",
    databasePoolMax: variables.DATABASE_POOL_MAX,
    redisUrl,
    lockUrls: lockUrls.length === 0 && redisUrl !== undefined ? [redisUrl] : lockUrls,
    amqpUrl: variables.AMQP_URL,
    transporter: variables.TRANSPORTER,
    serversCa,
    siteUrl,
    smtpUrl: variables.SMTP_URL,
    mailFrom: variables.MAIL_FROM ?? `Boxoffice <no-reply@${new URL(siteUrl).hostname}>`,
    mailsPerSecond: variables.MAILS_PER_SECOND,
    batchMax: variables.BATCH_MAX,
    mailboxMax: variables.MAILBOX_MAX,
    leaseMs: variables.LEASE_MS,
    ticketsPerCustomerMax: variables.TICKETS_PER_CUSTOMER_MAX,
    rateLimits: variables.RATE_LIMITS === "on",
    internalTokenSecret: secret("INTERNAL_TOKEN_SECRET"),
    transactionSecret: services.includes("purchasing") ? secret("TRANSACTION_SECRET") : "",
    refreshTokenSecret: services.includes("auth") ? secret("REFRESH_TOKEN_SECRET") : "",
    mailTokenSecret: services.some((name) => name === "auth" || name === "notifier")
      ? secret("MAIL_TOKEN_SECRET")
      : "",
    accessTokenKeysDir: accessTokenKeysDirOf(environment),
  };
  if (services.includes("auth")) {
    const isNamed = variables.ACCESS_TOKEN_KEYS_DIR !== undefined;
    problems.push(...accessTokenKeyProblems(isNamed, config.accessTokenKeysDir, production));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

type SecretName =
  "INTERNAL_TOKEN_SECRET" | "TRANSACTION_SECRET" | "REFRESH_TOKEN_SECRET" | "MAIL_TOKEN_SECRET";

/** Opens the file once: an audit trail that cannot be written must stop the start. */
function appendable(
  name: string,
  file: string | undefined,
  problems: string[],
): string | undefined {
  if (file === undefined) return undefined;
  try {
    closeSync(openSync(file, "a", 0o600));
  } catch {
    problems.push(`${name} names a file that cannot be written; its folder must exist`);
  }
  return file;
}
