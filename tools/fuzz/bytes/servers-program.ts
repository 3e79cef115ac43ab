// Runs a gateway without other nodes, and a plain server of Node with the same handler. Tells its
// parent the ports, and at each message how much memory and how many connections it holds.
import { randomUUID } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { ServiceBroker } from "moleculer";
import { processEnvironment, readConfig } from "../../../config/index.ts";
import { accepted } from "../../../domain/refusal.ts";
import { openNodeContext } from "../../../lib/bus/node-context.ts";
import { gatewaySchema } from "../../../main.ts";

/** What the parent reads. */
export type ServersMessage = { gateway: number; plain: number } | Held;

/** `usedBytes`: what is reachable, in the heap and in buffers. */
export type Held = { rssBytes: number; usedBytes: number; connections: number };

/** As the gateway's. */
const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 500,
};
const EVENTS = Array.from({ length: 50 }, (_, index) => ({ id: index, name: "x".repeat(200) }));

const broker = new ServiceBroker({ nodeID: randomUUID(), logger: false });
const { TLS_CERT_FILE, TLS_KEY_FILE } = processEnvironment();
const config = readConfig({
  SERVICES: "api",
  PORT: "0",
  RATE_LIMITS: "off",
  INTERNAL_TOKEN_SECRET: randomUUID() + randomUUID(),
  TLS_CERT_FILE,
  TLS_KEY_FILE,
});
openNodeContext(broker, config);
broker.createService({
  name: "catalog",
  actions: {
    search: {
      auth: "public",
      handler: () => accepted({ items: EVENTS, nextCursor: null }),
    },
  },
});
const schema = await gatewaySchema();
const service = broker.createService({
  ...schema,
  settings: { ...(schema.settings as object), waitMs: 0 },
}) as unknown as { url: string; createHttpHandler(): RequestListener };
await broker.start();

const handler = service.createHttpHandler();
const plain =
  config.tls === undefined
    ? createServer(LIMITS, handler)
    : createTlsServer({ ...LIMITS, cert: config.tls.cert, key: config.tls.key }, handler);
await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
const tell = (message: ServersMessage): void => void process.send?.(message);
process.on("message", () => {
  const open = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap");
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  tell({ rssBytes: rss, usedBytes: heapUsed + external, connections: open.length });
});
process.on("disconnect", () => process.exit(0));
tell({
  gateway: Number(new URL(service.url).port),
  plain: (plain.address() as AddressInfo).port,
});
