import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Profile, PROFILES } from "../../../lib/database/pool.ts";
import { ROOT } from "../../../tools/root.ts";
import type { Manifest } from "./build.ts";
import { workloadsOf } from "./workloads.ts";

/** psql of operators, a monitoring exporter, and what is opened by hand. */
const BY_HAND = 10;
/** PostgreSQL's default of superuser_reserved_connections. */
const FOR_SUPERUSERS = 3;
/** Jobs that connect to PostgreSQL. The restore drill has a server of its own. */
const JOBS: Readonly<Record<string, number>> = {
  migrate: 1,
  backup: 1,
  retention: PROFILES.long.poolMax,
  "restore-drill": 0,
};

export type Connections = {
  /** By workload or use: at the largest scale, in the middle of a rollout. */
  wanted: Record<string, number>;
  sum: number;
  maxConnections: number;
};

/** Adds up the connections to PostgreSQL that an overlay's pods open at most. */
export function connectionsOf(manifests: readonly Manifest[]): Connections {
  const wanted: Record<string, number> = { reserve: BY_HAND + FOR_SUPERUSERS };
  for (const { title, kind, labels, pod } of workloadsOf(manifests)) {
    const name = title.split(" ")[1] ?? "";
    const environment = {
      ...manifests.find((one) => one.kind === "ConfigMap" && one.metadata.name.startsWith("engine"))
        ?.data,
      ...Object.fromEntries((pod.containers[0]?.env ?? []).map((item) => [item.name, item.value])),
    };
    if (kind === "Job" || kind === "CronJob") {
      const connections = JOBS[name];
      if (connections === undefined) throw new Error(`${title} is not known to this check`);
      wanted[name] = connections;
    } else if (labels["boxoffice/node"] === "true") {
      const limit = Number(environment.DATABASE_POOL_MAX ?? Infinity);
      // A Deployment starts one pod more before it stops the first of the old ones.
      const pods = scaleOf(manifests, name) + (kind === "Deployment" ? 1 : 0);
      wanted[name] = pods * connectionsOfNode(String(environment.SERVICES).split(","), limit);
    }
  }
  return {
    wanted,
    sum: Object.values(wanted).reduce((sum, connections) => sum + connections, 0),
    maxConnections: maxConnectionsOf(manifests),
  };
}

function connectionsOfNode(services: readonly string[], limit: number): number {
  const profiles = new Set(services.flatMap(profilesOf));
  return [...profiles].reduce(
    (sum, profile) => sum + Math.min(limit, PROFILES[profile].poolMax),
    0,
  );
}

/** The pools of a service, as its file asks for them; `sale` comes with the mixin. */
function profilesOf(service: string): Profile[] {
  const file = join(ROOT, "services", service, `${service}.service.ts`);
  const text = readFileSync(file, "utf8");
  const asked = /DatabaseMixin\(\{ profiles: \[([^\]]*)\] \}\)/.exec(text)?.[1];
  if (asked === undefined) {
    if (text.includes("DatabaseMixin")) throw new Error(`${file}: no list of profiles was found`);
    return [];
  }
  return ["sale", ...[...asked.matchAll(/"(\w+)"/g)].map(([, name]) => name as Profile)];
}

function scaleOf(manifests: readonly Manifest[], name: string): number {
  const scaler = manifests.find(
    ({ kind, metadata }) =>
      (kind === "ScaledObject" || kind === "HorizontalPodAutoscaler") && metadata.name === name,
  );
  const { maxReplicaCount, maxReplicas } = (scaler?.spec ?? {}) as Record<string, number>;
  const most = maxReplicaCount ?? maxReplicas;
  if (most === undefined) throw new Error(`${name} has no largest scale`);
  return most;
}

function maxConnectionsOf(manifests: readonly Manifest[]): number {
  const server = workloadsOf(manifests).find(({ title }) => title === "StatefulSet postgres");
  const { args = [] } = (server?.pod.containers[0] ?? {}) as { args?: string[] };
  return Number(args.find((arg) => arg.startsWith("max_connections="))?.split("=")[1]);
}
