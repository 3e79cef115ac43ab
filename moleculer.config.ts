import type { BrokerOptions, Middleware } from "moleculer";
import { type Config, requireServers } from "./config/index.ts";
import { AUDIT_MODULE, auditLogger } from "./lib/observability/audit-log.ts";
import { openBusLink } from "./lib/bus/nats-transporter.ts";
import { LOCAL_FIRST, registerStrategies } from "./lib/bus/event-owner.strategy.ts";
import { randomId } from "./lib/ids/random-id.ts";
import { redacted } from "./lib/observability/redaction.ts";

/**
 * The broker of one node. Moleculer's defaults lose calls (no request time-out, a dead node noticed after a minute, calls in flight dropped at
 * stop), so each is set here. There is no broker-wide retry: a retried time-out would buy twice.
 */
export function brokerOptions(config: Config, middlewares: Middleware[]): BrokerOptions {
  registerStrategies();
  const link = openBusLink(natsOptions(requireServers(config).transporter));
  return {
    nodeID: config.nodeId,
    namespace: config.namespace,
    uidGenerator: randomId,
    transporter: link.transporter,
    requestTimeout: 5_000,
    heartbeatInterval: 1,
    heartbeatTimeout: 2,
    // preferLocal would overrule every strategy; LocalFirst keeps its benefit where no event is named.
    registry: { strategy: LOCAL_FIRST, preferLocal: false, stopDelay: 500 },
    tracking: { enabled: true, shutdownTimeout: 8_000 },
    retryPolicy: { enabled: false },
    skipProcessEventRegistration: true,
    // Ours are in lib/observability/metrics.ts: Moleculer's cost every call on the bus microseconds, in units and names of their own.
    metrics: false,
    logger: [
      {
        type: "Pino",
        options: {
          // The first match counts, so "*" comes last.
          level: {
            [AUDIT_MODULE]: false,
            ...Object.fromEntries(
              [
                "BROKER",
                "REGISTRY",
                "TRANSIT",
                "TRANSPORTER",
                "DISCOVERY",
                "CACHER",
                "METRICS",
              ].map((name) => [name, "warn"]),
            ),
            "*": config.logLevel,
          },
          pino: { options: LINES },
        },
      },
      // The audit trail is always on, whatever the level of the rest.
      {
        type: "Pino",
        options: {
          level: { [AUDIT_MODULE]: "info", "*": false },
          createLogger: (_level: string, bindings: object) =>
            auditLogger(config.auditFile, bindings),
        },
      },
    ],
    middlewares: [link.middleware, ...middlewares],
  };
}

/** Every line passes the rules of redaction on its way out, whoever wrote it. */
const LINES = { hooks: { streamWrite: redacted } };

/** Gives up a connection to a frozen server after four seconds and comes back by itself for ever; `openBusLink` notices within two. */
function natsOptions(url: string): Record<string, unknown> {
  return {
    url,
    timeout: 2_000,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    pingInterval: 2_000,
    maxPingOut: 2,
  };
}
