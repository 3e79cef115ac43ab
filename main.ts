import { ServiceBroker, type ServiceSchema } from "moleculer";
import type { Config, ServiceName } from "./config/index.ts";
import { nodeContextOf } from "./lib/bus/node-context.ts";
import { DatabaseMixin, databasePools } from "./mixins/database.mixin.ts";
import { redisConnection, RedisMixin } from "./mixins/redis.mixin.ts";
import { createBrokerOptions } from "./moleculer.config.ts";
import ApiService, { type GatewayFigures } from "./services/api/api.service.ts";
import { type GatewayCounts, newGatewayCounts } from "./services/api/handling/response-cache.ts";
import { createAuthService } from "./services/auth/auth.service.ts";
import { createCatalogService } from "./services/catalog/catalog.service.ts";
import {
  type CatalogCounts,
  newCatalogCounts,
} from "./services/catalog/search/read-through-cache.ts";
import LedgerService from "./services/ledger/ledger.service.ts";
import NodeService from "./services/node/node.service.ts";
import PurchasingService from "./services/purchasing/purchasing.service.ts";

/** The document that every gateway serves at /api/openapi.json. */
export { API_DOCUMENT } from "./services/api/routes/index.ts";

/** A schema of any service, whatever it adds to `this`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as `broker.createService` takes it
export type AnySchema = ServiceSchema<any, any, any>;

/** Schemas that tests and benchmarks start in place of a service's own. */
export type SchemaOverrides = Partial<Record<ServiceName | "node", AnySchema>>;

export type RunningNode = {
  broker: ServiceBroker;
  /** How many searches of this node each layer answered. */
  layers: { gateway: GatewayCounts; catalog: CatalogCounts };
  /** The address of its gateway, if it runs one. */
  url: string | undefined;
  /**
   * Leaves the cluster: readiness, connections, registry. Hands its events to other nodes, finishes what is in flight, then
   * closes every connection. May be called again.
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
  const schemas: Record<ServiceName, () => AnySchema> = {
    ...factories(node, config),
    api: () => ApiService,
    ledger: () => LedgerService,
    purchasing: () => PurchasingService,
  };
  for (const name of config.services) broker.createService(overrides[name] ?? schemas[name]());
  broker.createService(overrides.node ?? NodeService);
  try {
    await broker.start();
  } catch (error) {
    await broker.stop();
    throw error;
  }
  const gateway = broker.getLocalService("api") as Partial<GatewayFigures> | undefined;
  if (gateway?.counts !== undefined) node.layers.gateway = gateway.counts;
  return { ...node, url: gateway?.url, stop: () => broker.stop() };
}

/** Services that are still made by a closure. Their clients are closed by a service that stops with the others. */
function factories(
  node: Omit<RunningNode, "stop">,
  config: Config,
): Record<"auth" | "catalog", () => AnySchema> {
  const { broker, layers } = node;
  const { metrics } = nodeContextOf(broker);
  const closing = (schema: AnySchema, ...clients: { release(of: ServiceBroker): unknown }[]) => ({
    ...schema,
    stopped: [
      async () => {
        for (const client of clients) await client.release(broker);
      },
      ...[schema.stopped ?? []].flat(),
    ],
  });
  const { sale, long } = databasePools;
  const pool = DatabaseMixin({ profiles: ["sale"] });
  return {
    auth: () => {
      const { accessTokenKeysDir, refreshTokenSecret } = config;
      const database = sale.acquire(broker);
      const schema = createAuthService({ database, accessTokenKeysDir, refreshTokenSecret });
      return closing({ ...schema, mixins: [...(schema.mixins ?? []), pool] }, sale);
    },
    catalog: () => {
      const schema = createCatalogService({
        database: sale.acquire(broker),
        importDatabase: long.acquire(broker),
        redis: redisConnection.acquire(broker),
        counts: layers.catalog,
        metrics,
      });
      const mixins = [...(schema.mixins ?? []), RedisMixin(), pool];
      return closing({ ...schema, mixins }, redisConnection, long, sale);
    },
  };
}
