import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "../observability/metrics.ts";

export type MetricsServer = { port: number; close(): Promise<void> };

/** Serves /metrics for Prometheus on its own port. Rejects if the port is taken. */
export async function startMetricsServer(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
): Promise<MetricsServer> {
  const server = createServer(
    { keepAliveTimeout: 5_000, requestTimeout: 5_000 },
    (request, response) => {
      if (request.url !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
        response.writeHead(request.url === "/metrics" ? 405 : 404, { "Content-Length": 0 }).end();
        return;
      }
      void metrics.text().then((text) => {
        const headers = {
          "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
          "Content-Length": Buffer.byteLength(text),
        };
        response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : text);
      });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
