import { dirname, join } from "node:path";
import { processEnvironment } from "../../config/index.ts";
import type { Binaries } from "../dev-servers/binaries.ts";
import { makePlace, type Place, writeForServer } from "../dev-servers/data-folders.ts";
import { freePort } from "../dev-servers/ports.ts";
import { answers } from "../dev-servers/probe.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { type Supervised, supervise } from "../dev-servers/supervisor.ts";

export const SUPERUSER = "boxoffice";

/**
 * In seconds. The leader's lock in etcd ends `ttl` after its machine; Patroni wants `loop_wait` and
 * twice `retry_timeout` in it. See docs/operations.md, A standby.
 */
const TIMES = { ttl: 5, loop_wait: 1, retry_timeout: 2 };

export type PatroniOptions = {
  /** Folder of its place; has the configuration and the log. */
  root: string;
  name: string;
  etcdPort: number;
  password: string;
  binaries: Partial<Binaries>;
  report: Report;
};

/** A Patroni with its PostgreSQL. */
export type Member = {
  name: string;
  /** PostgreSQL's. */
  port: number;
  /** Data directory of PostgreSQL. */
  cluster: string;
  patroni: Supervised;
};

/** Starts etcd with one member, for tests: it does not flush. */
export async function startEtcd(
  root: string,
  binaries: Partial<Binaries>,
  report: Report,
): Promise<Supervised> {
  const place = makePlace(root, "postgres");
  const [port, peers] = [await freePort(), await freePort()];
  const [clientUrl, peerUrl] = [port, peers].map((number) => `http://127.0.0.1:${number}`);
  return supervise(
    {
      label: "etcd",
      command: binaries.etcd ?? "etcd",
      args: [
        `--data-dir=${join(place.dataFolder, "etcd")}`,
        `--listen-client-urls=${clientUrl}`,
        `--advertise-client-urls=${clientUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        "--unsafe-no-fsync",
      ],
      ...launchOf(place),
      port,
      isReady: () => answers(port, "GET /health HTTP/1.0\r\n\r\n", /"health":"true"/),
    },
    { restart: false, report },
  );
}

/** Starts a Patroni. Ready when its PostgreSQL runs, as a primary or a standby. */
export async function startMember(options: PatroniOptions): Promise<Member> {
  const { root, name, binaries, report } = options;
  const place = makePlace(root, "postgres");
  const [port, restPort] = [await freePort(), await freePort()];
  const cluster = join(place.dataFolder, "cluster");
  const settings = settingsOf(options, { place, port, restPort, cluster });
  // JSON is YAML.
  const file = writeForServer(place, "patroni.yml", JSON.stringify(settings));
  const patroni = await supervise(
    {
      label: `Patroni ${name}`,
      command: binaries.patroni ?? "patroni",
      args: [file],
      ...launchOf(place),
      port: restPort,
      isReady: () => answers(restPort, "GET /health HTTP/1.0\r\n\r\n", /^HTTP\/\S+ 200/),
    },
    { restart: false, report },
  );
  return { name, port, cluster, patroni };
}

function settingsOf(
  { name, etcdPort, password, binaries }: PatroniOptions,
  of: { place: Place; port: number; restPort: number; cluster: string },
): object {
  const account = (username: string): object => ({ username, password });
  const at = (port: number): string => `127.0.0.1:${port}`;
  return {
    scope: "boxoffice",
    name,
    restapi: { listen: at(of.restPort), connect_address: at(of.restPort) },
    etcd3: { host: at(etcdPort) },
    bootstrap: {
      dcs: {
        ...TIMES,
        // Only a standby that has all that was confirmed may be promoted.
        synchronous_mode: true,
        // A PostgreSQL that died is not started again first: the standby is quicker.
        primary_start_timeout: 0,
        // The primary goes on while etcd is away and the standby agrees.
        failsafe_mode: true,
        postgresql: {
          use_pg_rewind: true,
          use_slots: true,
          parameters: {
            max_connections: 200,
            shared_buffers: "128MB",
            max_wal_size: "4GB",
            wal_keep_size: "256MB",
            jit: "off",
          },
        },
      },
      initdb: ["data-checksums", { encoding: "UTF8" }, { locale: "C.UTF-8" }],
    },
    postgresql: {
      listen: at(of.port),
      connect_address: at(of.port),
      data_dir: of.cluster,
      bin_dir: dirname(binaries.postgres ?? ""),
      pgpass: join(of.place.dataFolder, "pgpass"),
      authentication: {
        superuser: account(SUPERUSER),
        replication: account("replicator"),
        rewind: account("rewinder"),
      },
      pg_hba: [
        "host all all 127.0.0.1/32 scram-sha-256",
        "host replication all 127.0.0.1/32 scram-sha-256",
      ],
      parameters: { unix_socket_directories: "", timezone: "UTC" },
    },
  };
}

function launchOf({ folder, dataFolder, account }: Place) {
  return {
    environment: {
      PATH: processEnvironment().PATH ?? "/usr/bin:/bin",
      LC_ALL: "C.UTF-8",
      HOME: dataFolder,
    },
    folder,
    workFolder: dataFolder,
    account,
    stopSignal: "SIGTERM",
    stopTimeoutMs: 15_000,
  } as const;
}
