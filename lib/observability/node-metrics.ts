import type { ServiceBroker } from "moleculer";
import { SERVICE_NAMES } from "../../config/index.ts";
import { isBusConnected } from "../bus/moleculer-internals.ts";
import type { Database } from "../database/pool.ts";
import type { Metrics } from "./metrics.ts";
import type { RedisClient } from "../redis/client.ts";

/** Registers what every kind of node reports: its connections, its pools and its services. */
export function registerNodeMetrics(
  metrics: Metrics,
  node: {
    broker: ServiceBroker;
    redis: () => RedisClient | undefined;
    pools: () => readonly (readonly [profile: string, pool: Database])[];
  },
): void {
  const { broker, redis, pools } = node;
  metrics.read("boxoffice_node_info", "What this node runs.", "gauge", () =>
    broker.services
      .filter(({ name }) => SERVICE_NAMES.some((known) => known === name))
      .map(({ name }) => ({ labels: { service: name, node: broker.nodeID }, value: 1 })),
  );
  metrics.read(
    "boxoffice_connected",
    "1 while this node is connected to that server.",
    "gauge",
    () => {
      const nats = {
        labels: { server: "nats" },
        value: Number(isBusConnected(broker) ?? false),
      };
      const client = redis();
      return client === undefined
        ? [nats]
        : [{ labels: { server: "redis" }, value: Number(client.status === "ready") }, nats];
    },
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
