import { join } from "node:path";
import {
  type Config,
  type Environment,
  type ServerUrls,
  readConfig,
  serverUrlsOf,
} from "../../config/index.ts";
import { migrate, readMigrations } from "../database/migrations.ts";
import { refuseDemoEvents } from "../demo/demo-catalog.ts";
import type { ServerName } from "../dev-servers/binaries.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { startServers } from "../dev-servers/servers.ts";
import type { Lifecycle } from "../process/run-until-stopped.ts";
import { lockDataDir } from "./engine-file.ts";

export type PreparedEngine = {
  config: Config;
  urls: ServerUrls;
  prometheusUrl: string | undefined;
};

/** Nodes get the engine's role only. */
export const WITHOUT_OWNER: Environment = {
  MIGRATION_DATABASE_URL: undefined,
  BACKUP_DATABASE_URL: undefined,
};

/**
 * Prepares what an engine needs before its first node: a locked data folder, servers (those that
 * the environment names, private ones otherwise), the schema. `checkPorts` runs before any server
 * starts. Outside production the audit trail goes to DATA_DIR/audit.log unless AUDIT_FILE is set.
 */
export async function prepareEngine(
  environment: Environment,
  life: Lifecycle,
  report: Report,
  checkPorts: (config: Config) => Promise<void> | undefined,
): Promise<PreparedEngine> {
  const early = readConfig(environment);
  life.onStop("the data folder's lock", lockDataDir(early.dataDir));
  await checkPorts(early);
  const servers = await startServers({
    dataDir: early.dataDir,
    only: serversNotNamed(early),
    report,
    restart: true,
    abort: life.abort,
  });
  life.onStop("servers", () => servers.stop());
  const config = readConfig({
    ...environment,
    ...auditFileOf(early),
    ...servers.urls,
    ...servers.roleUrls,
  });
  const urls = serverUrlsOf(config);

  life.abort.throwIfAborted();
  const roles = { engine: urls.DATABASE_URL, backup: config.backupDatabaseUrl };
  const owner = config.migrationDatabaseUrl ?? urls.DATABASE_URL;
  const applied = await migrate(owner, readMigrations(), { report, roles });
  report(
    applied.length === 0
      ? "the database is up to date"
      : `migrated the database: ${applied.length} migrations, to ${applied.at(-1) ?? ""}`,
  );
  if (config.production) await refuseDemoEvents(urls.DATABASE_URL);
  life.abort.throwIfAborted();
  return { config, urls, prometheusUrl: servers.prometheusUrl };
}

function auditFileOf({ auditFile, dataDir, production }: Config): Environment {
  if (production) return {};
  return { AUDIT_FILE: auditFile ?? join(dataDir, "audit.log") };
}

/** Servers that the environment names are used as they are; they are never started or stopped. */
function serversNotNamed(config: Config): ServerName[] {
  const named: Record<ServerName, string | undefined> = {
    postgres: config.databaseUrl,
    redis: config.redisUrl,
    rabbitmq: config.amqpUrl,
    nats: config.transporter,
  };
  return (Object.keys(named) as ServerName[]).filter((name) => named[name] === undefined);
}
