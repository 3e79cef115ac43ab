import { execFile } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { ClientConfig } from "pg";
import { processEnvironment } from "../../config/index.ts";
import { withClient } from "../database/with-client.ts";
import { postgresOfVersion } from "./binaries.ts";
import { endLeftover } from "./stale-processes.ts";
import { keptPassword, tlsForServer, writeForServer } from "./data-folders.ts";
import { onFreePort } from "./probe.ts";
import { ServerProblem, messageOf } from "./server-problem.ts";
import type { RecipeContext, RunningRecipe } from "./server-definition.ts";
import { supervise } from "./supervisor.ts";

const DATABASE = "boxoffice";
/** Generous: a busy machine starts many processes in it. */
const INITDB_TIMEOUT_MS = 300_000;

/** For many small commits on a small machine, with fsync: a 201 must survive a crash. */
const SETTINGS = {
  shared_buffers: "256MB",
  effective_cache_size: "1GB",
  max_connections: "200",
  wal_compression: "lz4",
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  jit: "off",
  // A WAL file at least every minute of sales: what a lost server takes with it.
  archive_mode: "on",
  archive_timeout: "60",
  autovacuum_naptime: "10s",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] ",
};
const THROWAWAY_SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  // Nothing to compress without full pages; and npm's PostgreSQL is built without LZ4.
  wal_compression: "off",
  shared_buffers: "128MB",
  // A server of tests has a database for each file. A visit of autovacuum costs more than it saves.
  autovacuum_naptime: "1min",
};

/**
 * Starts a private PostgreSQL with one database, on 127.0.0.1. The URL is its superuser's, who owns
 * the schema; the other roles are created by `migrate`. Refuses a data folder of a version
 * that is not installed.
 */
export async function startPostgres(context: RecipeContext): Promise<RunningRecipe> {
  const { place } = context;
  const password = keptPassword(place);
  const cluster = join(place.dataFolder, "cluster");
  await endLeftover(place.folder, "PostgreSQL", "SIGINT", context.report);
  const command = programFor(cluster, context.binaries.postgres ?? "postgres");
  if (!existsSync(cluster)) await initialize(context, command, cluster, password);
  const settings = {
    ...SETTINGS,
    ...(context.throwaway ? THROWAWAY_SETTINGS : {}),
    ...tlsSettings(context),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    archive_command: archiveCommand(place.folder),
  };
  const server = await onFreePort((port) =>
    supervise(
      {
        label: "PostgreSQL",
        command,
        args: [
          "-D",
          cluster,
          "-p",
          String(port),
          ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
        ],
        folder: place.folder,
        workFolder: place.dataFolder,
        account: place.account,
        port,
        stopSignal: "SIGINT", // Fast shutdown; at TERM it would wait for every client to leave.
        stopTimeoutMs: 15_000,
        isReady: () => acceptsClients(urlOf(port, password, "postgres")),
      },
      context,
    ),
  );
  await createDatabase(urlOf(server.port, password, "postgres"));
  const url = urlOf(server.port, password, DATABASE);
  const asRole = (name: string): string => {
    const role = new URL(url);
    role.username = `${DATABASE}_${name}`;
    role.password = keptPassword(place, `${name}-password`);
    return role.href;
  };
  const roleUrls = {
    DATABASE_URL: asRole("engine"),
    MIGRATION_DATABASE_URL: url,
    BACKUP_DATABASE_URL: asRole("backup"),
  };
  return { url, roleUrls, processes: [server] };
}

function tlsSettings({ place, tls }: RecipeContext): Record<string, string> {
  if (tls === undefined) return {};
  const { certFile, keyFile } = tlsForServer(place, tls);
  return { ssl: "on", ssl_cert_file: certFile, ssl_key_file: keyFile };
}

/** The hook that `npx boxoffice backup` installs; without it no WAL is archived. */
export function archiveHook(folder: string): string {
  return join(folder, "archive-wal.sh");
}

function archiveCommand(folder: string): string {
  const hook = `'${archiveHook(folder).replaceAll("'", `'\\''`).replaceAll("%", "%%")}'`;
  return `test ! -e ${hook} || bash ${hook} "%p" "%f"`;
}

function programFor(cluster: string, installed: string): string {
  if (!existsSync(cluster)) return installed;
  const file = join(cluster, "PG_VERSION");
  if (!existsSync(file))
    throw new ServerProblem(
      `PostgreSQL's data folder ${cluster} is broken (no PG_VERSION): restore it from a backup, or move it away to start with an empty one.`,
    );
  const major = readFileSync(file, "utf8").trim();
  if (installed.includes(`/${major}/`)) return installed;
  const program = postgresOfVersion(major);
  if (program !== undefined || !/\/postgresql\/\d+\//.test(installed)) return program ?? installed;
  throw new ServerProblem(
    `PostgreSQL's data folder ${cluster} was made by version ${major}, which is not installed: install postgresql-${major}, or set DATA_DIR to another folder.`,
  );
}

/**
 * Runs initdb beside the final folder and renames it, so that no incomplete folder looks like data.
 */
async function initialize(
  context: RecipeContext,
  command: string,
  cluster: string,
  password: string,
): Promise<void> {
  const { place } = context;
  const unfinished = `${cluster}.unfinished`;
  const passwordFile = writeForServer(place, "initdb.password", password);
  const locale = process.platform === "linux" ? "C.UTF-8" : "C";
  const args = [
    "-D",
    unfinished,
    "-U",
    DATABASE,
    "-E",
    "UTF8",
    `--locale=${locale}`,
    "--auth=scram-sha-256",
    "--data-checksums",
    `--pwfile=${passwordFile}`,
  ];
  if (context.throwaway) args.push("--no-sync");
  const as = place.account === undefined ? {} : { uid: place.account.uid, gid: place.account.gid };
  const env = { PATH: processEnvironment().PATH, LANG: "C.UTF-8", HOME: place.dataFolder };
  try {
    rmSync(unfinished, { recursive: true, force: true });
    await promisify(execFile)(join(dirname(command), "initdb"), args, {
      cwd: place.dataFolder,
      env,
      timeout: INITDB_TIMEOUT_MS,
      ...as,
    });
    renameSync(unfinished, cluster);
  } catch (error) {
    const words =
      error instanceof Error && "killed" in error && error.killed === true
        ? `initdb was not ready within ${INITDB_TIMEOUT_MS / 1_000} s`
        : error instanceof Error && "stderr" in error
          ? String(error.stderr)
          : messageOf(error);
    throw new ServerProblem(
      `PostgreSQL's data folder ${cluster} could not be made: ${words.trim().split("\n").slice(0, 3).join(" | ")}`,
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function acceptsClients(url: string): Promise<boolean> {
  try {
    await withClient(asClient(url), (client) => client.query("SELECT 1"));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "28P01")
      throw new ServerProblem(
        "PostgreSQL refuses the password of the file `password` beside its data: they belong to different servers.",
      );
    return false;
  }
}

async function createDatabase(url: string): Promise<void> {
  await withClient(asClient(url), async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [
      DATABASE,
    ]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
}

function asClient(url: string): ClientConfig {
  return { connectionString: url, connectionTimeoutMillis: 3_000, query_timeout: 60_000 };
}

function urlOf(port: number, password: string, database: string): string {
  return `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${database}`;
}
