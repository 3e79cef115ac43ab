import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:net";
import { processEnvironment } from "../../../config/index.ts";
import { drawSecrets } from "../../../cli/commands/operators/kubernetes-secrets.ts";
import { freePort } from "../../../tools/dev-servers/ports.ts";
import { provideBinaries } from "../../../tools/dev-servers/packages.ts";
import { ROOT } from "../../../tools/root.ts";
import { makeCertificate } from "../../../tools/testing/certificate.ts";
import { waitFor } from "../wait-for.ts";
import { temporaryFolder } from "./processes.ts";

export type TlsServers = {
  redisUrl: string;
  amqpUrl: string;
  transporter: string;
  /** Adds TLS to a URL of the tests' PostgreSQL. */
  overTls: (databaseUrl: string) => string;
  /** The file of their authority. */
  caFile: string;
  close(): Promise<void>;
};

/** Redis' and NATS' own files of the cluster, with the paths and ports of a test. */
const CONFIGURATIONS = join(ROOT, "kubernetes", "base", "servers");

/**
 * Starts Redis and NATS with the configurations and secrets of the cluster, and returns them beside
 * the TLS listeners of the tests' PostgreSQL and RabbitMQ. All certificates are of one authority.
 * Redis' and NATS' are for the name `localhost` only, not for 127.0.0.1.
 */
export async function startTlsServers(): Promise<TlsServers> {
  const { TEST_AMQPS_URL: amqpUrl, TEST_TLS_FOLDER: tls } = processEnvironment();
  if (amqpUrl === undefined || tls === undefined)
    throw new Error("This test needs the servers of `npm test -- NAME`");
  const caFile = join(tls, "ca.crt");
  const { folder, remove } = temporaryFolder();
  const issuer = { certFile: caFile, keyFile: join(tls, "ca.key") };
  makeCertificate(folder, "tls", issuer, "DNS:localhost");
  writeFileSync(join(folder, "ca.crt"), readFileSync(caFile));
  const secrets = drawSecrets();
  const [redisPort, natsPort, monitorPort, routesPort] = await freePorts(4);
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text.replaceAll("/tls/", `${folder}/`));
    return join(folder, name);
  };
  for (const name of ["nats", "nats-secret"]) mkdirSync(join(folder, name));

  write("password.conf", secrets["redis.conf"] ?? "");
  const redisFile = write(
    "redis.conf",
    configuration("redis.conf", [
      ["tls-port 6379", `tls-port ${redisPort}\nbind 127.0.0.1`],
      ["dir /data", `dir ${folder}`],
      ["/secrets/redis/", `${folder}/`],
    ]),
  );
  write("nats-secret/clients.conf", secrets["nats-clients.conf"] ?? "");
  const routes = secrets["nats-cluster.conf"] ?? "";
  write(
    "nats-secret/cluster.conf",
    routes.replace("port: 6222", `port: ${routesPort}`).replace(/routes = \[.*\]/, ""),
  );
  const natsFile = write(
    "nats/nats.conf",
    configuration("nats.conf", [
      ["port: 4222", `port: ${natsPort}\nhost: 127.0.0.1`],
      ["http_port: 8222", `http_port: ${monitorPort}`],
    ]),
  );
  const { redis = "", nats = "" } = await provideBinaries(["redis", "nats"], () => undefined);
  const children = [
    spawn(redis, [redisFile], { stdio: "ignore" }),
    spawn(nats, ["-c", natsFile], { stdio: "ignore", env: { POD_NAME: "nats-0" } }),
  ];
  await Promise.all([redisPort, natsPort].map(accepts));
  return {
    redisUrl: at(secrets["redis-url"], redisPort),
    amqpUrl,
    transporter: at(secrets.transporter, natsPort),
    overTls(databaseUrl) {
      const url = new URL(databaseUrl);
      url.hostname = "localhost";
      url.searchParams.set("sslmode", "verify-full");
      return url.href;
    },
    caFile,
    async close() {
      await Promise.all(children.map(end));
      remove();
    },
  };
}

function configuration(name: string, changes: [from: string, to: string][]): string {
  return changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
      return text.replace(from, to);
    },
    readFileSync(join(CONFIGURATIONS, name), "utf8"),
  );
}

async function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()));
}

/** The drawn URL at another host. */
function at(text: string | undefined, port: number | undefined): string {
  const url = new URL(text ?? "");
  url.hostname = "localhost";
  url.port = String(port);
  return url.href;
}

async function accepts(port = 0): Promise<void> {
  const opens = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
  await waitFor(opens, { withinMs: 60_000, what: "A server with TLS accepts connections" });
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("close", resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await ended;
}
