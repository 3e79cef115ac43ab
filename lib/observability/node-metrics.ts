import type { ServiceBroker } from "moleculer";
import { SERVICE_NAMES } from "../../config/index.ts";
import type { NodeContext } from "../bus/node-context.ts";
import type { Database } from "../database/pool.ts";
import type { ServerState } from "../database/server-state.ts";
import type { Metrics } from "./metrics.ts";
import { processTroubles, TROUBLE_KINDS, troubleReason, type Troubles } from "./troubles.ts";

const REFUSALS = ["read-only", "disk-full"] as const satisfies readonly ServerState[];

/** Registers what every kind of node reports: its connections, its pools and its services. */
export function registerNodeMetrics(
  metrics: Metrics,
  node: {
    broker: ServiceBroker;
    connections: NodeContext["connections"];
    troubles: Troubles;
    /** Undefined on a node that does not use PostgreSQL. */
    postgresState: () => Promise<ServerState> | undefined;
    postgresDamages: () => number | undefined;
    postgresTimeouts: () => number | undefined;
    pools: () => readonly (readonly [profile: string, pool: Database])[];
  },
): void {
  const { broker, connections, troubles, postgresState, postgresDamages, postgresTimeouts, pools } =
    node;
  metrics.read("boxoffice_node_info", "What this node runs.", "gauge", () =>
    broker.services
      .filter(({ name }) => SERVICE_NAMES.some((known) => known === name))
      .map(({ name }) => ({ labels: { service: name, node: broker.nodeID }, value: 1 })),
  );
  metrics.read(
    "boxoffice_connected",
    "1 while this node is connected to that server.",
    "gauge",
    () =>
      Promise.all(
        [...connections].map(async ([server, checks]) => ({
          labels: { server },
          value: Number((await Promise.all(checks.map(async (works) => works()))).every(Boolean)),
        })),
      ),
  );
  metrics.read(
    "boxoffice_postgres_refuses_writes",
    "1 while PostgreSQL answers this node and takes no writes, by reason.",
    "gauge",
    async () => {
      const state = await postgresState();
      if (state === undefined) return [];
      return REFUSALS.map((reason) => ({ labels: { reason }, value: Number(state === reason) }));
    },
  );
  metrics.read(
    "boxoffice_refuses_writes",
    "1 while a cache, a queue or a file takes no writes of this node, which serves without it.",
    "gauge",
    () =>
      TROUBLE_KINDS.map((target) => ({
        labels: { target, reason: troubleReason(target) },
        value: Number(troubles.isOn(target) || processTroubles.isOn(target)),
      })),
  );
  const count = (name: string, help: string, read: () => number | undefined): void =>
    metrics.read(name, help, "counter", () => {
      const value = read();
      return value === undefined ? [] : [{ labels: {}, value }];
    });
  count(
    "boxoffice_postgres_damage_total",
    "Statements that met a damaged page of PostgreSQL (SQLSTATE XX001, XX002).",
    postgresDamages,
  );
  count(
    "boxoffice_postgres_timeouts_total",
    "Statements that ran into their time limit in PostgreSQL (SQLSTATE 57014), or had no answer.",
    postgresTimeouts,
  );
  metrics.read(
    "boxoffice_pool_connections",
    "Connections to PostgreSQL by pool and state, and requests that wait for one.",
    "gauge",
    () =>
      pools().flatMap(([pool, database]) =>
        Object.entries(database.load()).map(([state, value]) => ({
          labels: { pool, state },
          value,
        })),
      ),
  );
}
