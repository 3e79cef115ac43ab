import { ConfigError } from "./config-error.ts";
import { type Environment, presentValues } from "./environment.ts";
import { readServersCa, serverTlsProblems, verifiedDatabaseUrl } from "./server-tls.ts";
import { withFiles } from "./secret-files.ts";

/** The private servers' addresses, by the variables that would name existing ones. */
export type ServerUrls = {
  DATABASE_URL: string;
  REDIS_URL: string;
  AMQP_URL: string;
  TRANSPORTER: string;
};

/** One database by its roles: of the engine, of migrations (the schema's owner), of backups. */
export type DatabaseUrls = {
  DATABASE_URL: string;
  MIGRATION_DATABASE_URL: string;
  BACKUP_DATABASE_URL: string;
};

/** The four addresses in the configuration. */
type Addresses = Readonly<
  Record<"databaseUrl" | "redisUrl" | "amqpUrl" | "transporter", string | undefined>
>;

/** Returns the addresses of the four servers, "" for one that no variable names. */
export function serverUrlsOf(addresses: Addresses): ServerUrls {
  const { databaseUrl = "", redisUrl = "", amqpUrl = "", transporter = "" } = addresses;
  return {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    AMQP_URL: amqpUrl,
    TRANSPORTER: transporter,
  };
}

/** Returns the addresses of the four servers. Throws a ConfigError that names the missing ones. */
export function requireServers(addresses: Addresses) {
  const urls = serverUrlsOf(addresses);
  const missing = Object.entries(urls).filter(([, url]) => url === "");
  if (missing.length > 0) throw new ConfigError(missing.map(([name]) => `${name} is missing`));
  return {
    databaseUrl: urls.DATABASE_URL,
    redisUrl: urls.REDIS_URL,
    amqpUrl: urls.AMQP_URL,
    transporter: urls.TRANSPORTER,
  };
}

/**
 * Reads the database's addresses for commands that need nothing else of the configuration. Throws a
 * ConfigError if their certificates could not be verified.
 */
export function databaseUrlsOf(outside: Environment): Partial<DatabaseUrls> {
  const { environment, problems } = withFiles(outside);
  const present = presentValues(environment);
  const serversCa = readServersCa(present.SERVERS_CA_FILE, problems);
  const urls: Partial<DatabaseUrls> = {};
  for (const name of ["DATABASE_URL", "MIGRATION_DATABASE_URL", "BACKUP_DATABASE_URL"] as const) {
    const url = present[name];
    if (url === undefined) continue;
    problems.push(...serverTlsProblems({ [name]: url }, serversCa));
    urls[name] = verifiedDatabaseUrl(url, serversCa);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return urls;
}
