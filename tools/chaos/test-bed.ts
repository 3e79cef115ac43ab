import { createHmac, randomUUID } from "node:crypto";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import {
  type Config,
  type Environment,
  readConfig,
  SERVICE_NAMES,
  type ServerUrls,
  type ServiceName,
} from "../../config/index.ts";
import { readAccessKeys, signingKeyOf } from "../../lib/auth/key-store.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { eventId } from "../../lib/ids.ts";
import { createAccessTokenSigner } from "../../lib/auth/access-token.ts";
import { type Cluster, startCluster } from "../cluster/cluster.ts";
import type { NodeCounts } from "../cluster/node-counts.ts";
import { joinEngine } from "../engine/connect.ts";
import { migrate, readMigrations } from "../database/migrations.ts";
import { programsOf } from "./earlier-nodes.ts";
import { openToServers } from "../dev-servers/data-folders.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { type RunningServers, startServers } from "../dev-servers/servers.ts";
import { type PostgresPair, startPostgresPair } from "../failover/postgres-pair.ts";
import { outsideEnvironment } from "../process/outside-environment.ts";
import { openSender, type Sender } from "./network/http.ts";

export type WorldOptions = {
  report: Report;
  counts?: Partial<NodeCounts>;
  environment?: Environment;
  /** Other copies of cli/program.ts by service: tests plant mistakes in them. */
  program?: Partial<Record<ServiceName, string>>;
  /** Root of an earlier revision: its schema, and its nodes for all that it knows. */
  tree?: string;
  /** File for the output of the nodes. By default it is dropped. */
  nodesLog?: string;
  /** Without fsync, for runs that kill no server. */
  throwaway?: boolean;
  /** PostgreSQL with a synchronous standby, in the place of the private server. */
  standby?: boolean;
  abort?: AbortSignal;
};

/** Servers and a cluster that a run owns, with access to them. */
export type World = {
  dataDir: string;
  servers: RunningServers;
  /** With `standby`: PostgreSQL, which is then not among the servers. */
  pair: PostgresPair | undefined;
  urls: ServerUrls;
  cluster: Cluster;
  config: Config;
  /** Has time-outs of 2 s, so that a frozen server blocks no check. */
  database: Database;
  sender: Sender;
  accessToken: (user: string) => string;
  purchaseId: (user: string, event: string, key: string) => string;
  cancellationId: (ticket: string) => string;
  /** Puts an event on sale. Returns its id. */
  addEvent(capacity: number, startsInMs?: number): Promise<string>;
  /** A node without services on the engine's bus. Created at the first call. */
  bus(): Promise<ServiceBroker>;
  close(): Promise<void>;
};

const COUNTS: NodeCounts = {
  api: 2,
  auth: 1,
  catalog: 1,
  purchasing: 2,
  ledger: 2,
  notifier: 1,
};

/**
 * Starts servers with private data (on disk with fsync, unless throwaway) and a cluster. close()
 * removes all of it.
 */
export async function openWorld(options: WorldOptions): Promise<World> {
  const dataDir = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-chaos-")));
  const { report, abort, throwaway = false, standby = false } = options;
  const undo: (() => unknown)[] = [() => rmSync(dataDir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const run of undo.splice(0).reverse()) await run();
  };
  try {
    const servers = await startServers({
      dataDir,
      report,
      restart: false,
      throwaway,
      ...(standby ? { only: ["redis", "rabbitmq", "nats"] } : {}),
      ...(abort === undefined ? {} : { abort }),
    });
    undo.push(() => rmSync(servers.folder, { recursive: true, force: true }));
    undo.push(() => servers.stop());
    const pair = standby ? await startPostgresPair(servers.folder, report) : undefined;
    undo.push(() => pair?.stop());
    const urls = {
      ...servers.urls,
      ...(pair === undefined ? {} : { DATABASE_URL: pair.url }),
    } as ServerUrls;
    const { tree } = options;
    await migrate(urls.DATABASE_URL, readMigrations(tree && join(tree, "migrations")));
    const environment = environmentOf(dataDir, options.environment ?? {});
    const config = readConfig({ ...environment, ...urls });
    const log =
      options.nodesLog === undefined
        ? undefined
        : createWriteStream(options.nodesLog, { flags: "a" });
    undo.push(() => log?.end());
    const program = tree === undefined ? options.program : await programsOf(tree);
    const cluster = await startCluster({
      urls,
      environment,
      counts: { ...COUNTS, ...(tree === undefined ? {} : unknownTo(program)), ...options.counts },
      ...(program === undefined ? {} : { program }),
      output: (line, node) => void log?.write(`${new Date().toISOString()} ${node} | ${line}\n`),
    });
    undo.push(() => cluster.stop());
    report(`${cluster.nodes.length} nodes run`);
    const database = openDatabase(urls.DATABASE_URL, "sale");
    undo.push(() => database.close());
    const sender = openSender();
    undo.push(() => sender.close());
    let broker: Promise<ServiceBroker> | undefined;
    undo.push(async () => (await broker?.catch(() => undefined))?.stop());
    return {
      dataDir,
      servers,
      pair,
      urls,
      cluster,
      config,
      database,
      sender,
      ...idsOf(config),
      addEvent: (capacity, startsInMs) => addEvent(database, capacity, startsInMs),
      bus: () =>
        (broker ??= joinEngine(
          { ...environment, ...urls },
          { as: "chaos", needs: "purchasing" },
        ).then((engine) => engine.broker)),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** No node for a service that another revision does not know. */
function unknownTo(program: WorldOptions["program"]): Partial<NodeCounts> {
  const unknown = SERVICE_NAMES.filter((service) => program?.[service] === undefined);
  return Object.fromEntries(unknown.map((service) => [service, 0]));
}

function environmentOf(dataDir: string, more: Environment): Environment {
  return {
    ...outsideEnvironment(),
    DATA_DIR: dataDir,
    RATE_LIMITS: "off",
    LOG_LEVEL: "warn",
    AUDIT_FILE: join(dataDir, "audit.log"),
    ...more,
  };
}

/**
 * Signs tokens like those of a sign-in, without the cost of a password. Computes ids independently
 * of the engine's code.
 */
function idsOf(config: Config): Pick<World, "accessToken" | "purchaseId" | "cancellationId"> {
  const sign = createAccessTokenSigner(
    signingKeyOf(readAccessKeys(config.accessTokenKeysDir), Date.now()).privateKey,
  );
  const hmac = (text: string): string =>
    createHmac("sha512", config.transactionSecret).update(text).digest("hex");
  return {
    accessToken: (userId) => sign({ userId, role: "customer", sessionId: randomUUID() }),
    purchaseId: (user, event, key) => hmac(`buy|${user}|${event}|${key}`),
    cancellationId: (ticket) => hmac(`cancel|${ticket}`),
  };
}

async function addEvent(
  database: Database,
  capacity: number,
  startsInMs = 30 * 86_400_000,
): Promise<string> {
  const sourceId = randomUUID();
  // Named like an import's event, so that a feed can change it.
  const id = eventId({ source: "chaos", sourceId });
  const startsAt = new Date(Date.now() + startsInMs);
  await database.query({
    text: `
      INSERT INTO event (id, name, name_key, type, type_key, location, location_key, date,
        start_time, end_time, duration, time_zone, starts_at, ends_at, total_capacity, capacity,
        source, source_id)
      VALUES ($1::uuid, 'Chaos', 'chaos', 'concert', 'concert', 'Berlin', 'berlin', $2::date,
        '20:00', '22:00', 120, 'Europe/Berlin', $3, $3::timestamptz + interval '2 hours', $4, $4,
        'chaos', $5)`,
    values: [id, startsAt.toISOString().slice(0, 10), startsAt.toISOString(), capacity, sourceId],
  });
  return id;
}
