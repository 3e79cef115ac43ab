import { ServiceBroker, type ServiceSchema } from "moleculer";
import type { Config, ServiceName } from "./config/index.ts";
import { createBrokerOptions } from "./moleculer.config.ts";
import type { GatewayFigures } from "./services/api/api.service.ts";
import { type GatewayCounts, newGatewayCounts } from "./services/api/handling/response-cache.ts";
import type { OpenApiDocument } from "./services/api/openapi/openapi.ts";
import {
  type CatalogCounts,
  newCatalogCounts,
} from "./services/catalog/search/read-through-cache.ts";
import NodeService from "./services/node/node.service.ts";

/** A schema of any service, whatever it adds to `this`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as `broker.createService` takes it
export type AnySchema = ServiceSchema<any, any, any>;

/** Schemas that tests and benchmarks start in place of a service's own. */
export type SchemaOverrides = Partial<Record<ServiceName | "node", AnySchema>>;

/** Loaded when a node runs them: a node of one service starts in half of the time. */
const SCHEMAS: Record<ServiceName, () => Promise<{ default: AnySchema }>> = {
  api: () => import("./services/api/api.service.ts"),
  auth: () => import("./services/auth/auth.service.ts"),
  catalog: () => import("./services/catalog/catalog.service.ts"),
  ledger: () => import("./services/ledger/ledger.service.ts"),
  notifier: () => import("./services/notifier/notifier.service.ts"),
  purchasing: () => import("./services/purchasing/purchasing.service.ts"),
};

/** Returns the document that every gateway serves at /api/openapi.json. */
export async function apiDocument(): Promise<OpenApiDocument> {
  return (await import("./services/api/routes/index.ts")).API_DOCUMENT;
}

/** Returns the gateway's schema, for brokers without other nodes. */
export async function gatewaySchema(): Promise<AnySchema> {
  return (await SCHEMAS.api()).default;
}

export type RunningNode = {
  broker: ServiceBroker;
  /** How many searches of this node each layer answered. */
  layers: { gateway: GatewayCounts; catalog: CatalogCounts };
  /** The address of its gateway, if it runs one. */
  url: string | undefined;
  /**
   * Leaves the cluster: readiness, connections, registry. Hands its events to other nodes, finishes
   * what is in flight, then closes every connection. May be called again.
   */
  stop(): Promise<void>;
};

/** Starts one node: the services that `config.services` names, on one broker. */
export async function startNode(
  config: Config,
  overrides: SchemaOverrides = {},
): Promise<RunningNode> {
  const broker = new ServiceBroker(await createBrokerOptions(config));
  const node: Omit<RunningNode, "stop"> = {
    broker,
    layers: { gateway: newGatewayCounts(), catalog: newCatalogCounts() },
    url: undefined,
  };
  for (const name of config.services)
    broker.createService(overrides[name] ?? (await SCHEMAS[name]()).default);
  broker.createService(overrides.node ?? NodeService);
  try {
    await broker.start();
  } catch (error) {
    await broker.stop();
    throw error;
  }
  const gateway = broker.getLocalService("api") as Partial<GatewayFigures> | undefined;
  if (gateway?.counts !== undefined) node.layers.gateway = gateway.counts;
  const catalog = broker.getLocalService("catalog") as { counts?: CatalogCounts } | undefined;
  if (catalog?.counts !== undefined) node.layers.catalog = catalog.counts;
  return { ...node, url: gateway?.url, stop: () => broker.stop() };
}
