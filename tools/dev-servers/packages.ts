import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { processEnvironment } from "../../config/index.ts";
import { findBinaries, type Binaries, type ProgramName } from "./binaries.ts";
import { ServerProblem, secondsSince, type Report } from "./server-problem.ts";

type Packages = {
  debian: string;
  fedora: string;
  /** Undefined where there is none. */
  macos?: string;
  /** Services that Debian's package would start. */
  units?: readonly string[];
  /** The variable that points to a server that runs already. */
  variable?: string;
};

const PACKAGES: Readonly<Record<ProgramName, Packages>> = {
  postgres: {
    debian: "postgresql",
    fedora: "postgresql-server",
    macos: "postgresql@17",
    units: ["postgresql.service"],
    variable: "DATABASE_URL",
  },
  redis: {
    debian: "redis-server",
    fedora: "redis",
    macos: "redis",
    units: ["redis-server.service"],
    variable: "REDIS_URL",
  },
  rabbitmq: {
    debian: "rabbitmq-server",
    fedora: "rabbitmq-server",
    macos: "rabbitmq",
    units: ["rabbitmq-server.service", "epmd.service", "epmd.socket"],
    variable: "AMQP_URL",
  },
  nats: {
    debian: "nats-server",
    fedora: "nats-server",
    macos: "nats-server",
    units: ["nats-server.service"],
    variable: "TRANSPORTER",
  },
  prometheus: {
    debian: "prometheus",
    fedora: "golang-github-prometheus",
    macos: "prometheus",
    units: ["prometheus.service"],
  },
  alertmanager: {
    debian: "prometheus-alertmanager",
    fedora: "golang-github-prometheus-alertmanager",
    macos: "alertmanager",
    units: ["prometheus-alertmanager.service"],
  },
  pgbouncer: {
    debian: "pgbouncer",
    fedora: "pgbouncer",
    macos: "pgbouncer",
    units: ["pgbouncer.service"],
  },
  wrk: { debian: "wrk", fedora: "wrk", macos: "wrk" },
  nginx: { debian: "nginx", fedora: "nginx", macos: "nginx", units: ["nginx.service"] },
  faketime: { debian: "faketime", fedora: "libfaketime", macos: "libfaketime" },
  patroni: { debian: "patroni", fedora: "patroni", macos: "patroni", units: ["patroni.service"] },
  etcd: { debian: "etcd-server", fedora: "etcd", macos: "etcd", units: ["etcd.service"] },
  iptables: { debian: "iptables", fedora: "iptables-nft" },
  podman: {
    debian: "podman",
    fedora: "podman",
    macos: "podman",
    units: [
      "podman.service",
      "podman.socket",
      "podman-auto-update.timer",
      "podman-restart.service",
    ],
  },
  runc: { debian: "runc", fedora: "runc" },
  catatonit: { debian: "catatonit", fedora: "catatonit" },
  debootstrap: { debian: "debootstrap", fedora: "debootstrap" },
};

const POLICY_FILE = "/usr/sbin/policy-rc.d";
const SAVED_POLICY_FILE = "/usr/sbin/policy-rc.d.before-boxoffice";
const POLICY_MARK = "# Written by boxoffice for the time of one apt-get install.";
const CLUSTER_FILE = "/etc/postgresql-common/createcluster.conf";
const LISTS_LOCKED_MS = 300_000;

/**
 * Finds the programs of these servers. As root on Debian or Ubuntu, installs missing ones without
 * starting the system's own services. Else throws a ServerProblem that says how to install them.
 */
export async function provideBinaries(
  servers: readonly ProgramName[],
  report: Report,
): Promise<Partial<Binaries>> {
  const before = findBinaries(servers);
  if (before.missing.length === 0) return before.found;
  if (
    process.getuid?.() !== 0 ||
    !existsSync("/etc/debian_version") ||
    !existsSync("/usr/bin/apt-get")
  )
    throw new ServerProblem(adviceFor(before.missing, "not installed"));
  const packages = before.missing.map((server) => PACKAGES[server].debian);
  const started = performance.now();
  report(
    `installing ${packages.join(", ")} from the system's packages; their own services are not started`,
  );
  await update(before.missing);
  install(packages, before.missing);
  const after = findBinaries(servers);
  if (after.missing.length > 0)
    throw new ServerProblem(adviceFor(after.missing, "still not there after apt-get install"));
  report(`installed ${packages.join(", ")} (${secondsSince(started)})`);
  return after.found;
}

function adviceFor(missing: readonly ProgramName[], why: string): string {
  const wanted = missing.map((server) => PACKAGES[server]);
  const variables = wanted.flatMap(({ variable }) => variable ?? []);
  const debian = wanted.map((one) => one.debian).join(" ");
  const fedora = wanted.map((one) => one.fedora).join(" ");
  const macos = wanted.flatMap((one) => one.macos ?? []).join(" ");
  return [
    `These programs are ${why}: ${debian}${missing.includes("postgres") ? " (PostgreSQL 15 or newer is needed)" : ""}. Install them:`,
    `  Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${debian}`,
    `  Fedora:          sudo dnf install -y ${fedora}`,
    ...(macos === "" ? [] : [`  macOS:           brew install ${macos}`]),
    ...(variables.length === 0
      ? []
      : [`or point to servers that run already: ${variables.join(", ")}.`]),
  ].join("\n");
}

/** Retries while apt is busy: its lock's time-out does not cover the package lists. */
async function update(missing: readonly ProgramName[]): Promise<void> {
  const deadline = performance.now() + LISTS_LOCKED_MS;
  for (;;) {
    const { ok, output } = run("apt-get", ["-q", "update"]);
    if (ok) return;
    if (!/could not get lock|unable to lock/i.test(output)) {
      const known = run("apt-cache", [
        "show",
        ...missing.map((server) => PACKAGES[server].debian),
      ]).ok;
      if (known) return;
      throw new ServerProblem(
        `${adviceFor(missing, "not installed")}\napt-get update failed: ${lastLines(output)}`,
      );
    }
    if (performance.now() > deadline)
      throw new ServerProblem(
        `Another apt holds its lock for ${LISTS_LOCKED_MS / 60_000} minutes: ${lastLines(output)}`,
      );
    await delay(1_000);
  }
}

function install(packages: readonly string[], servers: readonly ProgramName[]): void {
  const restore = forbidServices();
  const clusterFileIsOurs = servers.includes("postgres") && !existsSync(CLUSTER_FILE);
  try {
    if (clusterFileIsOurs) {
      run("mkdir", ["-p", "/etc/postgresql-common"]);
      writeFileSync(CLUSTER_FILE, "create_main_cluster = false\n");
    }
    const options = ["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"];
    const { ok, output } = run("apt-get", [
      "install",
      "-q",
      "-y",
      "--no-install-recommends",
      ...options,
      ...packages,
    ]);
    if (!ok)
      throw new ServerProblem(
        `${adviceFor(servers, "not installed")}\napt-get install failed: ${lastLines(output)}`,
      );
    // Installed units would start at the next boot.
    const units = servers.flatMap((server) => PACKAGES[server].units ?? []);
    if (existsSync("/usr/bin/systemctl") || existsSync("/bin/systemctl"))
      for (const unit of units) run("systemctl", ["disable", "--quiet", unit]);
  } finally {
    if (clusterFileIsOurs) rmSync(CLUSTER_FILE, { force: true });
    restore();
  }
}

/** Forbids starting services (policy-rc.d, 101). Restores an earlier file, also of a killed run. */
function forbidServices(): () => void {
  const isOurs = existsSync(POLICY_FILE) && readFileSync(POLICY_FILE, "utf8").includes(POLICY_MARK);
  if (existsSync(POLICY_FILE) && !isOurs) renameSync(POLICY_FILE, SAVED_POLICY_FILE);
  writeFileSync(POLICY_FILE, `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`);
  chmodSync(POLICY_FILE, 0o755);
  return () => {
    if (existsSync(SAVED_POLICY_FILE)) renameSync(SAVED_POLICY_FILE, POLICY_FILE);
    else rmSync(POLICY_FILE, { force: true });
  };
}

function run(command: string, args: readonly string[]): { ok: boolean; output: string } {
  const environment = {
    ...processEnvironment(),
    DEBIAN_FRONTEND: "noninteractive",
    UCF_FORCE_CONFFOLD: "1",
    LC_ALL: "C.UTF-8",
  };
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    env: environment,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return { ok: status === 0, output: error === undefined ? `${stdout}\n${stderr}` : error.message };
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-3).join(" | ");
}
