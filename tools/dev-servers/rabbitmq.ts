import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { endLeftover } from "./stale-processes.ts";
import { keptPassword, type Place, tlsForServer, writeForServer } from "./data-folders.ts";
import { freePort } from "./ports.ts";
import { answers, onFreePort } from "./probe.ts";
import { folderProblem } from "./server-problem.ts";
import type { RecipeContext, RunningRecipe } from "./server-definition.ts";
import { supervise, type Supervised } from "./supervisor.ts";

/**
 * Starts a private RabbitMQ with metrics, and Erlang's port mapper epmd on a port of its own:
 * Erlang would start epmd as a daemon that outlives the engine, and two checkouts would share node
 * names.
 */
export async function startRabbitmq(context: RecipeContext): Promise<RunningRecipe> {
  const { place } = context;
  const password = keptPassword(place);
  await endLeftover(place.folder, "RabbitMQ", "SIGTERM", context.report);
  const mapper = await startPortMapper(context);
  try {
    const prometheusPort = await freePort();
    const tlsPort = context.tls && (await freePort());
    const server = await onFreePort(async (port) =>
      startBroker(context, {
        port,
        prometheusPort,
        tlsPort,
        mapperPort: mapper.port,
        distributionPort: await freePort(),
        password,
      }),
    );
    return {
      url: `amqp://boxoffice:${password}@127.0.0.1:${server.port}`,
      ...(tlsPort !== undefined && {
        tlsUrl: `amqps://boxoffice:${password}@localhost:${tlsPort}`,
      }),
      prometheusUrl: `http://127.0.0.1:${prometheusPort}/metrics`,
      processes: [server, mapper],
    };
  } catch (error) {
    await mapper.stop();
    throw error;
  }
}

async function startPortMapper(context: RecipeContext): Promise<Supervised> {
  const { place } = context;
  const folder = join(place.folder, "epmd");
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw folderProblem(error, folder);
  }
  await endLeftover(folder, "epmd", "SIGTERM", context.report);
  return onFreePort((port) =>
    supervise(
      {
        label: "epmd",
        command: context.binaries.epmd ?? "epmd",
        args: ["-port", String(port), "-address", "127.0.0.1"],
        folder,
        workFolder: place.dataFolder,
        account: place.account,
        port,
        stopSignal: "SIGTERM",
        stopTimeoutMs: 3_000,
        // NAMES_REQ of epmd's protocol: two bytes of length, then n. The reply begins with its
        // port.
        isReady: () => answers(port, "\u0000\u0001n", /^[^]{4}/),
      },
      { ...context, report: (line) => context.report(`RabbitMQ: ${line}`) },
    ),
  );
}

type Ports = {
  port: number;
  prometheusPort: number;
  tlsPort: number | undefined;
  mapperPort: number;
  distributionPort: number;
  password: string;
};

function startBroker(context: RecipeContext, ports: Ports): Promise<Supervised> {
  const { place } = context;
  const { port } = ports;
  const data = place.dataFolder;
  const configuration = writeForServer(
    place,
    "rabbitmq.conf",
    [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      "prometheus.tcp.ip = 127.0.0.1",
      `prometheus.tcp.port = ${ports.prometheusPort}`,
      "log.console = true",
      "log.console.level = warning",
      "log.file = false",
      ...tlsLines(context, ports.tlsPort),
      `load_definitions = ${writeDefinitions(place, ports.password, context.slots)}`,
      "",
    ].join("\n"),
  );
  return supervise(
    {
      label: "RabbitMQ",
      command: context.binaries.rabbitmq ?? "rabbitmq-server",
      args: [],
      environment: {
        ERL_EPMD_PORT: String(ports.mapperPort),
        ERL_EPMD_ADDRESS: "127.0.0.1",
        // Makes the script exec Erlang, so that the started process is the server.
        RUNNING_UNDER_SYSTEMD: "true",
        RABBITMQ_NODENAME: "boxoffice@localhost",
        RABBITMQ_NODE_PORT: String(port),
        RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
        RABBITMQ_DIST_PORT: String(ports.distributionPort),
        RABBITMQ_MNESIA_BASE: join(data, "mnesia"),
        RABBITMQ_LOG_BASE: join(data, "log"),
        RABBITMQ_PID_FILE: join(data, "rabbitmq.pid"),
        RABBITMQ_CONF_ENV_FILE: "/dev/null",
        RABBITMQ_ENABLED_PLUGINS_FILE: writeForServer(
          place,
          "enabled_plugins",
          "[rabbitmq_prometheus].\n",
        ),
        RABBITMQ_CONFIG_FILE: configuration,
        // Two schedulers that do not spin: it shares the machine with the engine.
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
          "+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
      },
      folder: place.folder,
      workFolder: data,
      account: place.account,
      port,
      stopSignal: "SIGTERM",
      stopTimeoutMs: context.throwaway ? 0 : 15_000,
      isReady: () => answers(port, "AMQP\u0000\u0000\u0009\u0001", /RabbitMQ/),
    },
    context,
  );
}

function tlsLines({ place, tls }: RecipeContext, port: number | undefined): string[] {
  if (tls === undefined || port === undefined) return [];
  const { certFile, keyFile } = tlsForServer(place, tls);
  return [
    `listeners.ssl.1 = 127.0.0.1:${port}`,
    `ssl_options.certfile = ${certFile}`,
    `ssl_options.keyfile = ${keyFile}`,
  ];
}

/** Writes the user, with a salted hash, and the vhosts. RabbitMQ then creates no guest account. */
function writeDefinitions(place: Place, password: string, slots: number): string {
  const salt = createHash("sha256").update(place.folder).digest().subarray(0, 4);
  const hash = Buffer.concat([
    salt,
    createHash("sha256").update(salt).update(password, "utf8").digest(),
  ]).toString("base64");
  const vhosts = ["/", ...Array.from({ length: slots }, (_, index) => `slot-${index + 1}`)];
  const definitions = {
    users: [
      {
        name: "boxoffice",
        password_hash: hash,
        hashing_algorithm: "rabbit_password_hashing_sha256",
        tags: ["administrator"],
        limits: {},
      },
    ],
    vhosts: vhosts.map((name) => ({ name })),
    permissions: vhosts.map((vhost) => ({
      user: "boxoffice",
      vhost,
      configure: ".*",
      write: ".*",
      read: ".*",
    })),
  };
  return writeForServer(place, "definitions.json", JSON.stringify(definitions, undefined, 2));
}
