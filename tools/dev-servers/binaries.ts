import { accessSync, constants, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { processEnvironment } from "../../config/index.ts";

export const SERVER_NAMES = ["postgres", "redis", "rabbitmq", "nats"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];
/**
 * Tests run the alert rules with prometheus, page by alertmanager, sell through pgbouncer and ask
 * through nginx. Benchmarks make load with wrk. A fault moves PostgreSQL's clock with faketime's
 * library, another one has a standby that patroni promotes, by etcd's lock, a third one loses
 * packets by iptables. Podman and debootstrap make the image, runc and catatonit run its pod.
 */
export type ProgramName =
  | ServerName
  | "prometheus"
  | "alertmanager"
  | "pgbouncer"
  | "wrk"
  | "nginx"
  | "faketime"
  | "patroni"
  | "etcd"
  | "iptables"
  | "podman"
  | "runc"
  | "catatonit"
  | "debootstrap";

/** The path of each program. RabbitMQ needs epmd, Erlang's port mapper. */
export type Binaries = {
  postgres: string;
  redis: string;
  rabbitmq: string;
  epmd: string;
  nats: string;
  prometheus: string;
  promtool: string;
  alertmanager: string;
  pgbouncer: string;
  wrk: string;
  nginx: string;
  faketime: string;
  patroni: string;
  etcd: string;
  iptables: string;
  podman: string;
  runc: string;
  catatonit: string;
  debootstrap: string;
};

/**
 * Paths beside PATH, the newest version first. RabbitMQ's script in /usr/sbin is left out: it
 * changes the user, so the started process would not be the server.
 */
const PLACES: Record<keyof Binaries, readonly string[]> = {
  postgres: [
    "/usr/lib/postgresql/*/bin/postgres",
    "/usr/pgsql-*/bin/postgres",
    "/opt/homebrew/opt/postgresql*/bin/postgres",
    "/usr/local/opt/postgresql*/bin/postgres",
  ],
  redis: ["/usr/bin/redis-server", "/opt/homebrew/bin/redis-server", "/usr/local/bin/redis-server"],
  rabbitmq: [
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
  ],
  epmd: [
    "/usr/bin/epmd",
    "/usr/lib/erlang/bin/epmd",
    "/usr/lib64/erlang/bin/epmd",
    "/opt/homebrew/bin/epmd",
    "/usr/local/bin/epmd",
  ],
  nats: [
    "/usr/sbin/nats-server",
    "/usr/bin/nats-server",
    "/opt/homebrew/bin/nats-server",
    "/usr/local/bin/nats-server",
  ],
  prometheus: ["/usr/bin/prometheus", "/opt/homebrew/bin/prometheus", "/usr/local/bin/prometheus"],
  promtool: ["/usr/bin/promtool", "/opt/homebrew/bin/promtool", "/usr/local/bin/promtool"],
  alertmanager: [
    "/usr/bin/prometheus-alertmanager",
    "/opt/homebrew/bin/alertmanager",
    "/usr/local/bin/alertmanager",
  ],
  pgbouncer: [
    "/usr/sbin/pgbouncer",
    "/usr/bin/pgbouncer",
    "/opt/homebrew/bin/pgbouncer",
    "/usr/local/bin/pgbouncer",
  ],
  wrk: ["/usr/bin/wrk", "/opt/homebrew/bin/wrk", "/usr/local/bin/wrk"],
  nginx: ["/usr/sbin/nginx", "/usr/bin/nginx", "/opt/homebrew/bin/nginx", "/usr/local/bin/nginx"],
  faketime: ["/usr/bin/faketime", "/opt/homebrew/bin/faketime", "/usr/local/bin/faketime"],
  patroni: ["/usr/bin/patroni", "/opt/homebrew/bin/patroni", "/usr/local/bin/patroni"],
  etcd: ["/usr/bin/etcd", "/opt/homebrew/bin/etcd", "/usr/local/bin/etcd"],
  iptables: ["/usr/sbin/iptables"],
  podman: ["/usr/bin/podman", "/opt/homebrew/bin/podman", "/usr/local/bin/podman"],
  runc: ["/usr/sbin/runc", "/usr/bin/runc"],
  catatonit: ["/usr/bin/catatonit", "/usr/libexec/catatonit/catatonit"],
  debootstrap: ["/usr/sbin/debootstrap"],
};

const NEEDS: Record<ProgramName, readonly (keyof Binaries)[]> = {
  postgres: ["postgres"],
  redis: ["redis"],
  rabbitmq: ["rabbitmq", "epmd"],
  nats: ["nats"],
  prometheus: ["prometheus", "promtool"],
  alertmanager: ["alertmanager"],
  pgbouncer: ["pgbouncer"],
  wrk: ["wrk"],
  nginx: ["nginx"],
  faketime: ["faketime"],
  patroni: ["patroni"],
  etcd: ["etcd"],
  iptables: ["iptables"],
  podman: ["podman"],
  runc: ["runc"],
  catatonit: ["catatonit"],
  debootstrap: ["debootstrap"],
};
const FILE_NAMES: Record<keyof Binaries, string> = {
  postgres: "postgres",
  redis: "redis-server",
  rabbitmq: "rabbitmq-server",
  epmd: "epmd",
  nats: "nats-server",
  prometheus: "prometheus",
  promtool: "promtool",
  alertmanager: "alertmanager",
  pgbouncer: "pgbouncer",
  wrk: "wrk",
  nginx: "nginx",
  faketime: "faketime",
  patroni: "patroni",
  etcd: "etcd",
  iptables: "iptables",
  podman: "podman",
  runc: "runc",
  catatonit: "catatonit",
  debootstrap: "debootstrap",
};

/**
 * Finds the programs of these servers. PostgreSQL older than 15 counts as missing. POSTGRES_BIN
 * names the folder of another one, which is taken first.
 */
export function findBinaries(servers: readonly ProgramName[]): {
  found: Partial<Binaries>;
  missing: ProgramName[];
} {
  const found: Partial<Binaries> = {};
  for (const name of servers.flatMap((server) => NEEDS[server])) {
    const path = candidates(name).find(isExecutable);
    if (path !== undefined) found[name] = path;
  }
  return {
    found,
    missing: servers.filter((server) => NEEDS[server].some((name) => found[name] === undefined)),
  };
}

/** Finds the PostgreSQL of one major version, for a data folder that it made. */
export function postgresOfVersion(major: string): string | undefined {
  return candidates("postgres").find((path) => isExecutable(path) && path.includes(`/${major}/`));
}

function candidates(name: keyof Binaries): string[] {
  const places = PLACES[name].flatMap((pattern) =>
    pattern.includes("*") ? newestFirst(globSync(pattern)) : [pattern],
  );
  const onPath = (processEnvironment().PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "" && !(name === "rabbitmq" && folder === "/usr/sbin"))
    .map((folder) => join(folder, FILE_NAMES[name]));
  const { POSTGRES_BIN } = processEnvironment();
  const chosen = name === "postgres" && POSTGRES_BIN ? [join(POSTGRES_BIN, "postgres")] : [];
  return [...chosen, ...places, ...onPath];
}

function newestFirst(paths: string[]): string[] {
  const versionOf = (path: string) => Number(/(\d+)/.exec(path)?.[1] ?? 0);
  return paths
    .filter((path) => !path.includes("/usr/") || versionOf(path) >= 15)
    .sort((a, b) => versionOf(b) - versionOf(a));
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
