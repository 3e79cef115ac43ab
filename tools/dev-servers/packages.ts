import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { processEnvironment } from "../../config/index.ts";
import { findBinaries, type Binaries, type ProgramName } from "./binaries.ts";
import { ServerProblem, secondsSince, type Report } from "./server-problem.ts";

const DEBIAN_PACKAGES: Record<ProgramName, string> = {
  prometheus: "prometheus",
  alertmanager: "prometheus-alertmanager",
  pgbouncer: "pgbouncer",
  wrk: "wrk",
  nginx: "nginx",
  faketime: "faketime",
  patroni: "patroni",
  etcd: "etcd-server",
  postgres: "postgresql",
  redis: "redis-server",
  rabbitmq: "rabbitmq-server",
  nats: "nats-server",
};
const DEBIAN_UNITS: Record<ProgramName, readonly string[]> = {
  prometheus: ["prometheus.service"],
  alertmanager: ["prometheus-alertmanager.service"],
  pgbouncer: ["pgbouncer.service"],
  wrk: [],
  nginx: ["nginx.service"],
  faketime: [],
  patroni: ["patroni.service"],
  etcd: ["etcd.service"],
  postgres: ["postgresql.service"],
  redis: ["redis-server.service"],
  rabbitmq: ["rabbitmq-server.service", "epmd.service", "epmd.socket"],
  nats: ["nats-server.service"],
};
const FEDORA_PACKAGES: Record<ProgramName, string> = {
  prometheus: "golang-github-prometheus",
  alertmanager: "golang-github-prometheus-alertmanager",
  pgbouncer: "pgbouncer",
  wrk: "wrk",
  nginx: "nginx",
  faketime: "libfaketime",
  patroni: "patroni",
  etcd: "etcd",
  postgres: "postgresql-server",
  redis: "redis",
  rabbitmq: "rabbitmq-server",
  nats: "nats-server",
};
const MACOS_PACKAGES: Record<ProgramName, string> = {
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  pgbouncer: "pgbouncer",
  wrk: "wrk",
  nginx: "nginx",
  faketime: "libfaketime",
  patroni: "patroni",
  etcd: "etcd",
  postgres: "postgresql@17",
  redis: "redis",
  rabbitmq: "rabbitmq",
  nats: "nats-server",
};
const VARIABLE_NAMES: Record<ProgramName, string | undefined> = {
  prometheus: undefined,
  alertmanager: undefined,
  pgbouncer: undefined,
  wrk: undefined,
  nginx: undefined,
  faketime: undefined,
  patroni: undefined,
  etcd: undefined,
  postgres: "DATABASE_URL",
  redis: "REDIS_URL",
  rabbitmq: "AMQP_URL",
  nats: "TRANSPORTER",
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
  const packages = before.missing.map((server) => DEBIAN_PACKAGES[server]);
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
  const variables = missing.flatMap((server) => VARIABLE_NAMES[server] ?? []);
  const list = (names: Record<ProgramName, string>) =>
    missing.map((server) => names[server]).join(" ");
  return [
    `These programs are ${why}: ${list(DEBIAN_PACKAGES)}${missing.includes("postgres") ? " (PostgreSQL 15 or newer is needed)" : ""}. Install them:`,
    `  Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${list(DEBIAN_PACKAGES)}`,
    `  Fedora:          sudo dnf install -y ${list(FEDORA_PACKAGES)}`,
    `  macOS:           brew install ${list(MACOS_PACKAGES)}`,
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
        ...missing.map((server) => DEBIAN_PACKAGES[server]),
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
    const units = servers.flatMap((server) => DEBIAN_UNITS[server]);
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
