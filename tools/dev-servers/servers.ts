import type { DatabaseUrls, ServerUrls } from "../../config/index.ts";
import { SERVER_NAMES, type ServerName } from "./binaries.ts";
import { startNats } from "./nats.ts";
import { provideBinaries } from "./packages.ts";
import { makePlace, serversFolder } from "./data-folders.ts";
import { startPostgres } from "./postgres.ts";
import { secondsSince, type Report } from "./server-problem.ts";
import { startRabbitmq } from "./rabbitmq.ts";
import type { RecipeContext, RunningRecipe, ServerTls } from "./server-definition.ts";
import { startRedis } from "./redis.ts";
import type { Supervised } from "./supervisor.ts";

export type StartOptions = {
  /** Folder of the data; existing data is used. */
  dataDir: string;
  /** All four by default. */
  only?: readonly ServerName[];
  report: Report;
  /** Restart a server that dies, and report it. */
  restart: boolean;
  /** Ends a start: it stops all servers and rejects. */
  abort?: AbortSignal;
  /** For test data: no fsync. */
  throwaway?: boolean;
  /** Vhosts slot-1 … slot-N of RabbitMQ, for tests. */
  slots?: number;
  /** PostgreSQL and RabbitMQ also speak TLS by this certificate, for tests. */
  tls?: ServerTls;
};

export type RunningServers = {
  /** The servers that were started. */
  names: readonly ServerName[];
  /** Their addresses, each by its administrator. */
  urls: Partial<ServerUrls>;
  /** The addresses of PostgreSQL by role. `migrate` creates the roles of engine and backups. */
  roleUrls: Partial<DatabaseUrls>;
  /** RabbitMQ by TLS. */
  amqpsUrl: string | undefined;
  prometheusUrl: string | undefined;
  /** Folder of their data. */
  folder: string;
  /** The process of one server. Throws for one that was not started. */
  server(name: ServerName): Supervised;
  /** Stops all of them at once, within 20 seconds. */
  stop(): Promise<void>;
};

const RECIPES: Record<
  ServerName,
  {
    label: string;
    variable: keyof ServerUrls;
    start(context: RecipeContext): Promise<RunningRecipe>;
  }
> = {
  rabbitmq: { label: "RabbitMQ", variable: "AMQP_URL", start: startRabbitmq },
  postgres: { label: "PostgreSQL", variable: "DATABASE_URL", start: startPostgres },
  redis: { label: "Redis", variable: "REDIS_URL", start: startRedis },
  nats: { label: "NATS", variable: "TRANSPORTER", start: startNats },
};

/**
 * Starts private servers at once, on free ports of 127.0.0.1, as children of this process: they end
 * with it, however it ends. Where one cannot start, stops all and throws a ServerProblem.
 */
export async function startServers(options: StartOptions): Promise<RunningServers> {
  const { report } = options;
  const names = SERVER_NAMES.filter((name) => options.only?.includes(name) ?? true);
  const binaries = await provideBinaries(names, report);
  const root = serversFolder(options.dataDir, report);
  const running = new Map<ServerName, RunningRecipe>();
  const stop = async (): Promise<void> => {
    await Promise.all([...running].map(([name, recipe]) => stopRecipe(name, recipe, report)));
    running.clear();
  };

  const starts = names.map(async (name) => {
    const started = performance.now();
    const place = makePlace(root, name);
    const { restart, abort, tls, throwaway = false, slots = 0 } = options;
    const recipe = await RECIPES[name].start({
      place,
      binaries,
      report,
      restart,
      abort,
      throwaway,
      slots,
      tls,
    });
    running.set(name, recipe);
    report(
      `${RECIPES[name].label} is up on port ${recipe.processes[0].port} (${secondsSince(started)})`,
    );
  });
  const failed = (await Promise.allSettled(starts)).find(
    (outcome) => outcome.status === "rejected",
  );
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    names,
    urls: Object.fromEntries(
      [...running].map(([name, recipe]) => [RECIPES[name].variable, recipe.url]),
    ),
    roleUrls: running.get("postgres")?.roleUrls ?? {},
    folder: root,
    amqpsUrl: running.get("rabbitmq")?.tlsUrl,
    prometheusUrl: running.get("rabbitmq")?.prometheusUrl,
    server(name) {
      const recipe = running.get(name);
      if (recipe === undefined) throw new Error(`${name} was not started here`);
      return recipe.processes[0];
    },
    stop,
  };
}

async function stopRecipe(name: ServerName, recipe: RunningRecipe, report: Report): Promise<void> {
  const started = performance.now();
  // In order: RabbitMQ's port mapper stops after RabbitMQ.
  for (const one of recipe.processes) await one.stop();
  report(`${RECIPES[name].label} stopped (${secondsSince(started)})`);
}
