import type { ServiceBroker } from "moleculer";
import { isBusSilent } from "../bus/nats-transporter.ts";
import type { Database } from "../database/pool.ts";
import type { Metrics } from "./metrics.ts";
import type { RedisClient } from "../redis/client.ts";

/** What every kind of node tells: its connections, its pools, and what it runs. */
export function registerNodeMetrics(
  metrics: Metrics,
  node: {
    broker: ServiceBroker;
    redis: RedisClient;
    pools: Readonly<Record<string, Database>>;
    services: readonly string[];
  },
): void {
  const { broker, redis, pools, services } = node;
  metrics.read("boxoffice_node_info", "What this node runs.", "gauge", () =>
    services.map((service) => ({ labels: { service, node: broker.nodeID }, value: 1 })),
  );
  metrics.read("boxoffice_connected", "1 while this node hears that server.", "gauge", () => {
    const transit = broker.transit as { connected: boolean } | undefined;
    return [
      { labels: { server: "redis" }, value: Number(redis.status === "ready") },
      {
        labels: { server: "nats" },
        value: Number(transit?.connected === true && !isBusSilent(broker)),
      },
    ];
  });
  metrics.read(
    "boxoffice_pool_connections",
    "Connections to PostgreSQL by pool and state, and requests that wait for one.",
    "gauge",
    () =>
      Object.entries(pools).flatMap(([pool, database]) =>
        Object.entries(database.load()).map(([state, value]) => ({
          labels: { pool, state },
          value,
        })),
      ),
  );
}
