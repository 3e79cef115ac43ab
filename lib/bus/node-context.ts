import type { ServiceBroker } from "moleculer";
import { type Config, ConfigError, processEnvironment, readConfig } from "../../config/index.ts";
import { createHealth, type Health, type ReadinessChecks } from "../http/health.ts";
import { createMetrics, type Metrics } from "../observability/metrics.ts";
import { processTroubles, Troubles, troublesShown } from "../observability/troubles.ts";
import type { Tracing } from "../observability/tracing.ts";
import type { ServerState } from "../database/server-state.ts";
import { beforeStop, isBusConnected } from "./moleculer-internals.ts";

/** The kinds of servers that a node connects to. */
export type ServerKind = "postgres" | "redis" | "rabbitmq" | "nats";

/**
 * What all services of one node share. Never put it into the broker's metadata, which is broadcast:
 * the configuration has secrets.
 */
export type NodeContext = {
  readonly config: Config;
  /** Undefined if METRICS_PORT is not set. */
  readonly metrics: Metrics | undefined;
  /** Undefined if traces are off. */
  readonly tracing: Tracing | undefined;
  /** Aborted when the node begins to stop: answers still come, new work goes to other nodes. */
  readonly leaving: AbortSignal;
  /** Readiness of the node. Reads `checks` and `needs`. */
  readonly health: Health;
  /** What must pass before the node is ready, by its kind. A mixin adds its own. */
  readonly checks: Record<string, ReadinessChecks[string]>;
  /** Services on the bus without which the node is not ready. The gateway adds its own. */
  readonly needs: Set<string>;
  /**
   * Whether each connection of this node works, by the kind of its server. A mixin adds its own
   * when it is created, so every series is there before the first request.
   */
  readonly connections: Map<ServerKind, (() => boolean | Promise<boolean>)[]>;
  /** What refuses the writes of this node while it serves. */
  readonly troubles: Troubles;
  /** Whether PostgreSQL takes writes. Undefined on a node that does not use it. */
  postgresState: (() => Promise<ServerState>) | undefined;
  /** Statements that have met damage in PostgreSQL. Undefined as above. */
  postgresDamages: (() => number) | undefined;
  /** Its statements that ran into their time limit, and whether one did a moment ago. */
  postgresSlowness: (() => { timeouts: number; isSlow: boolean }) | undefined;
};

const contexts = new WeakMap<ServiceBroker, NodeContext>();

/** Gives a broker its context, once. */
export function openNodeContext(
  broker: ServiceBroker,
  config: Config,
  tracing?: Tracing,
): NodeContext {
  const leaving = new AbortController();
  const checks: NodeContext["checks"] = {};
  const needs = new Set<string>();
  const troubles = new Troubles(broker.getLogger("node"));
  const context: NodeContext = {
    config,
    metrics: config.metricsPort === undefined ? undefined : createMetrics(),
    tracing,
    leaving: leaving.signal,
    health: createHealth(broker, checks, {
      needs,
      leaving: leaving.signal,
      troubles: () => [
        ...(context.postgresSlowness?.().isSlow === true ? ["database (slow)"] : []),
        ...troublesShown(troubles, processTroubles),
      ],
    }),
    checks,
    needs,
    connections: new Map([["nats", [() => isBusConnected(broker) ?? false]]]),
    troubles,
    postgresState: undefined,
    postgresDamages: undefined,
    postgresSlowness: undefined,
  };
  contexts.set(broker, context);
  beforeStop(broker, () => leaving.abort());
  return context;
}

/** The context of a node. A broker that was made without our options reads the environment. */
export function nodeContextOf(broker: ServiceBroker): NodeContext {
  return contexts.get(broker) ?? openNodeContext(broker, readConfig(processEnvironment()));
}

/** Adds a connection of a node to what its metrics watch. */
export function watchConnection(
  broker: ServiceBroker,
  kind: ServerKind,
  works: () => boolean | Promise<boolean>,
): void {
  const { connections } = nodeContextOf(broker);
  connections.set(kind, [...(connections.get(kind) ?? []), works]);
}

export function configOf(broker: ServiceBroker): Config {
  return nodeContextOf(broker).config;
}

const SERVER_VARIABLES = {
  databaseUrl: "DATABASE_URL",
  redisUrl: "REDIS_URL",
  amqpUrl: "AMQP_URL",
} as const;

/**
 * Returns the address of a server that a service needs. Throws a ConfigError that names the missing
 * variable.
 */
export function serverUrlOf(broker: ServiceBroker, server: keyof typeof SERVER_VARIABLES): string {
  const url = configOf(broker)[server];
  if (url === undefined) throw new ConfigError([`${SERVER_VARIABLES[server]} is missing`]);
  return url;
}
