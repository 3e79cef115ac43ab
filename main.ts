import { type ServiceSchema, ServiceBroker } from "moleculer";
import { type Config, requireServers } from "./config/index.ts";
import { authorisation } from "./mixins/authorization.middleware.ts";
import { openDatabase } from "./lib/database/pool.ts";
import { tuneGc } from "./lib/observability/gc-tuning.ts";
import { createHealth, type HealthServer, startHealthServer } from "./lib/http/health.ts";
import { createInternalTokenVerifier } from "./lib/auth/internal-token.ts";
import { createNodeService } from "./services/node/node.service.ts";
import { createMetrics } from "./lib/observability/metrics.ts";
import { type MetricsServer, startMetricsServer } from "./lib/http/metrics-server.ts";
import { registerNodeMetrics } from "./lib/observability/node-metrics.ts";
import { openRedis, whenReady } from "./lib/redis/client.ts";
import { requestContext } from "./lib/database/request-context.ts";
import { tracedBus } from "./mixins/tracing.middleware.ts";
import { tracedQueries } from "./lib/observability/query-tracing.ts";
import { brokerOptions } from "./moleculer.config.ts";
import { createApiService, NEEDED_SERVICES } from "./services/api/api.service.ts";
import { type GatewayCounts, newGatewayCounts } from "./services/api/handling/response-cache.ts";
import { createAuthService } from "./services/auth/auth.service.ts";
import { createCatalogService } from "./services/catalog/catalog.service.ts";
import {
  type CatalogCounts,
  newCatalogCounts,
} from "./services/catalog/search/read-through-cache.ts";
import { createLedgerService } from "./services/ledger/ledger.service.ts";
import {
  createPurchasingService,
  type PurchasingDependencies,
} from "./services/purchasing/purchasing.service.ts";

/** What every gateway serves at /api/openapi.json, for those who write programs against it. */
export { API_DOCUMENT } from "./services/api/routes/index.ts";

/** A gateway that starts waits so long for the services it needs to show themselves; then it opens its port and is not ready. */
const SERVICES_WAIT_MS = 3_000;

export type RunningNode = {
  broker: ServiceBroker;
  /** Which layer answered the searches that came to this node. */
  layers: { gateway: GatewayCounts; catalog: CatalogCounts };
  /** Where its gateway answers, if it runs one. */
  url: string | undefined;
  /**
   * Says that it leaves (readiness, connections, the registry) and gives its events to other nodes, serves for a moment what still comes, lets what is in
   * flight finish, then closes every connection. May be called again.
   */
  stop(): Promise<void>;
};

/** What tests and benchmarks may put in place of a real part. */
export type Replacements = Pick<PurchasingDependencies, "replace"> & {
  /** Another way to sell, behind the same gateway. */
  createPurchasing?: (dependencies: PurchasingDependencies) => ServiceSchema;
  /** What an operator's `node.drain` does; by default the node stops and its process stays. */
  drain?: () => void;
};

/** Composes one node of the engine: the services that `config.services` names, on one broker, over shared pools. The only importer of services. */
export async function startNode(
  config: Config,
  { createPurchasing = createPurchasingService, drain, ...replacements }: Replacements = {},
): Promise<RunningNode> {
  tuneGc(0);
  const { databaseUrl, redisUrl, amqpUrl } = requireServers(config);
  const { nodeId, services: runs, traces } = config;
  // Loaded where it is asked for: without it nothing is wrapped, and no part of OpenTelemetry's SDK is in memory.
  const tracing =
    traces &&
    (await import("./lib/observability/tracing.ts")).openTracing(traces, {
      nodeId,
      services: runs,
      warn: (message) => log.warn(message),
    });
  const queries = tracing && tracedQueries(tracing);
  const broker = new ServiceBroker(
    brokerOptions(config, [
      requestContext(),
      authorisation(createInternalTokenVerifier(config.internalTokenSecret)),
      ...(tracing === undefined ? [] : [tracedBus(tracing)]),
    ]),
  );
  const log = broker.getLogger("node");
  const database = openDatabase(databaseUrl, "sale", queries);
  const workerDatabase = openDatabase(databaseUrl, "worker", queries);
  const longDatabase = openDatabase(databaseUrl, "long", queries);
  const redis = openRedis(redisUrl, (message) => log.warn(message));
  const usesDatabase = config.services.some((name) => name !== "api");
  const leaving = new AbortController();
  const health = createHealth(
    broker,
    usesDatabase
      ? { database: async () => (await database.query({ text: "SELECT 1" })).length === 1 }
      : {},
    { needs: config.services.includes("api") ? NEEDED_SERVICES : [], leaving: leaving.signal },
  );
  const layers = { gateway: newGatewayCounts(), catalog: newCatalogCounts() };
  const metrics = config.metricsPort === undefined ? undefined : createMetrics();
  const pools = { sale: database, worker: workerDatabase, long: longDatabase };
  if (metrics !== undefined)
    registerNodeMetrics(metrics, { broker, redis, pools, services: config.services });
  let metricsServer: MetricsServer | undefined;
  let url: string | undefined;
  let healthServer: HealthServer | undefined;
  const closeAll = async (): Promise<void> => {
    await Promise.all([database, workerDatabase, longDatabase].map((pool) => pool.close()));
    redis.disconnect();
    await tracing?.close();
  };

  let stopped: Promise<void> | undefined;
  const stopOnce = (): Promise<void> => (stopped ??= stop());

  const {
    internalTokenSecret,
    transactionSecret,
    lockUrls,
    leaseMs,
    accessTokenKeysDir,
    refreshTokenSecret,
  } = config;
  const { batchMax, mailboxMax, ticketsPerCustomerMax } = config;
  const services: Record<Config["services"][number], () => ServiceSchema> = {
    auth: () => createAuthService({ database, accessTokenKeysDir, refreshTokenSecret }),
    catalog: () =>
      createCatalogService({
        database,
        importDatabase: longDatabase,
        redis,
        counts: layers.catalog,
        metrics,
      }),
    purchasing: () =>
      createPurchasing({
        database,
        workerDatabase,
        redis,
        amqpUrl,
        lockUrls,
        leaseMs,
        transactionSecret,
        internalTokenSecret,
        ...replacements,
        limits: { batchMax, mailboxMax, ticketsPerCustomerMax },
        leaving: leaving.signal,
        metrics,
        tracing,
      }),
    ledger: () =>
      createLedgerService({
        database: longDatabase,
        redis,
        amqpUrl,
        leaving: leaving.signal,
        metrics,
        tracing,
      }),
    api: () =>
      createApiService({
        config,
        health,
        throttleStore: config.rateLimits ? redis : undefined,
        gatewayCounts: layers.gateway,
        leaving: leaving.signal,
        waitMs: SERVICES_WAIT_MS,
        metrics,
        tracing,
        listening: (address) => (url = address),
      }),
  };
  for (const name of config.services) broker.createService(services[name]());
  broker.createService(createNodeService(drain ?? (() => void stopOnce())));

  try {
    // First, so that a start which takes long or fails can be watched.
    if (metrics !== undefined && config.metricsPort !== undefined)
      metricsServer = await startMetricsServer(metrics, {
        host: config.host,
        port: config.metricsPort,
      });
    if (!(await whenReady(redis, 2_000)))
      log.warn("Redis does not answer: starting without copies and leases");
    await broker.start();
    if (config.healthPort !== undefined)
      healthServer = await startHealthServer(health, {
        host: config.host,
        port: config.healthPort,
      });
  } catch (error) {
    await broker.stop().catch(() => undefined);
    await metricsServer?.close();
    await closeAll();
    throw error;
  }
  async function stop(): Promise<void> {
    leaving.abort();
    await broker.stop();
    await healthServer?.close();
    await metricsServer?.close();
    await closeAll();
  }
  return { broker, layers, url, stop: stopOnce };
}
