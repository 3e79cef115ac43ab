import type { Middleware } from "moleculer";
import { nodeContextOf } from "../lib/bus/node-context.ts";
import { type MetricsServer, startMetricsServer } from "../lib/http/metrics-server.ts";
import { registerNodeMetrics } from "../lib/observability/node-metrics.ts";

/**
 * Serves /metrics on METRICS_PORT. Opens before the services start, so that a slow or failed start
 * is visible.
 */
export function metricsServer(): Middleware {
  let server: MetricsServer | undefined;
  return {
    name: "MetricsServer",
    async starting(broker) {
      const context = nodeContextOf(broker);
      const { config, metrics } = context;
      const { host, metricsPort: port } = config;
      if (metrics === undefined || port === undefined) return;
      // Loaded here: an operator's command has no metrics, and starts without this client.
      const { databasePools } = await import("./database.mixin.ts");
      registerNodeMetrics(metrics, {
        broker,
        connections: context.connections,
        troubles: context.troubles,
        postgresState: () => context.postgresState?.(),
        postgresDamages: () => context.postgresDamages?.(),
        postgresTimeouts: () => context.postgresSlowness?.().timeouts,
        pools: () =>
          Object.entries(databasePools).flatMap(([profile, pool]) => {
            const database = pool.peek(broker);
            return database === undefined ? [] : [[profile, database] as const];
          }),
      });
      server = await startMetricsServer(metrics, { host, port });
    },
    async stopped() {
      await server?.close();
    },
  };
}
