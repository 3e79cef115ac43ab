import type { Middleware } from "moleculer";
import { nodeContextOf } from "../lib/bus/node-context.ts";
import { type HealthServer, startHealthServer } from "../lib/http/health.ts";

/** Serves /healthz and /readyz on HEALTH_PORT, once the node has started. */
export function healthServer(): Middleware {
  let server: HealthServer | undefined;
  return {
    name: "HealthServer",
    async started(broker) {
      const { config, health } = nodeContextOf(broker);
      const { host, healthPort: port } = config;
      if (port !== undefined) server = await startHealthServer(health, { host, port });
    },
    async stopped() {
      await server?.close();
    },
  };
}
