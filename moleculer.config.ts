import type { BrokerOptions, Middleware } from "moleculer";
import { type Config, ConfigError, processEnvironment, readConfig } from "./config/index.ts";
import { createInternalTokenVerifier } from "./lib/auth/jwt.ts";
import { AUDIT_MODULE, auditLogger } from "./lib/observability/audit-log.ts";
import { openBusLink } from "./lib/bus/nats-transporter.ts";
import { LOCAL_FIRST, registerStrategies } from "./lib/bus/event-owner.strategy.ts";
import { randomId } from "./lib/ids.ts";
import { openLogDestination } from "./lib/observability/log-destination.ts";
import { redacted } from "./lib/observability/redaction.ts";
import { authorization, requestContext } from "./mixins/action.middleware.ts";
import { faults } from "./mixins/faults.middleware.ts";
import { healthServer } from "./mixins/health-server.middleware.ts";
import { metricsServer } from "./mixins/metrics-server.middleware.ts";
import { nodeContext } from "./mixins/node-context.middleware.ts";
import { tracedBus } from "./mixins/tracing.middleware.ts";

/**
 * Reads the options from the environment, for moleculer-runner (Moleculer's asynchronous
 * configuration file).
 */
export default async function optionsOfEnvironment(): Promise<BrokerOptions> {
  const options = await createBrokerOptions(readConfig(processEnvironment()));
  // The runner leaves it to the broker to stop at SIGTERM.
  return keepFromRunner({ ...options, skipProcessEventRegistration: false });
}

/**
 * Creates the options of a node's broker, with everything that any node has. Moleculer's defaults
 * lose calls (no request time-out, a dead node noticed after a minute, calls in flight dropped at
 * stop), so each is set here. There is no broker-wide retry: a retried time-out would buy twice.
 * `middlewares` come last.
 */
export async function createBrokerOptions(
  config: Config,
  middlewares: Middleware[] = [],
): Promise<BrokerOptions> {
  registerStrategies();
  // Loaded only if traces are on: no part of OpenTelemetry's SDK is in memory otherwise.
  const tracing = config.traces && (await import("./lib/observability/tracing.ts"));
  if (config.transporter === undefined) throw new ConfigError(["TRANSPORTER is missing"]);
  const link = openBusLink(natsOptions(config.transporter, config.serversCa?.pem));
  return {
    nodeID: config.nodeId,
    namespace: config.namespace,
    uidGenerator: randomId,
    transporter: link.transporter,
    requestTimeout: 5_000,
    heartbeatInterval: 1,
    heartbeatTimeout: 2,
    // preferLocal would overrule every strategy. LocalFirst keeps its benefit for calls that name
    // no event.
    registry: { strategy: LOCAL_FIRST, preferLocal: false, stopDelay: 500 },
    tracking: { enabled: true, shutdownTimeout: 8_000 },
    retryPolicy: { enabled: false },
    skipProcessEventRegistration: true,
    // Our metrics are in lib/observability/metrics.ts. Moleculer's cost microseconds per call and
    // have their own units and names.
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
          pino: { options: LINES, destination: openLogDestination(config.production) },
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
    middlewares: [
      nodeContext(config, tracing?.openTracing),
      faults(),
      link.middleware,
      metricsServer(),
      healthServer(),
      requestContext(),
      authorization(createInternalTokenVerifier(config.internalTokenSecret)),
      tracedBus(),
      ...middlewares,
    ],
  };
}

/**
 * Protects options from moleculer-runner, which overwrites each from the environment variable of
 * the same name: TRANSPORTER, the URL, would replace our transporter.
 */
function keepFromRunner(options: BrokerOptions): BrokerOptions {
  for (const name of ["namespace", "transporter"] as const) {
    const value = options[name];
    Object.defineProperty(options, name, {
      enumerable: true,
      get: () => value,
      set: () => undefined,
    });
  }
  return options;
}

/** Redacts every log line on its way out. */
const LINES = { hooks: { streamWrite: redacted } };

/**
 * Gives up a connection to a frozen server after four seconds and reconnects without limit.
 * `openBusLink` notices within two.
 */
function natsOptions(url: string, ca: string | undefined): Record<string, unknown> {
  return {
    url,
    // With tls:// the client refuses a server without TLS. The certificate is always verified.
    ...(url.startsWith("tls:") ? { tls: ca === undefined ? {} : { ca } } : {}),
    timeout: 2_000,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    pingInterval: 2_000,
    maxPingOut: 2,
  };
}
