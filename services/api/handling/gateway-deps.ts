import type { Logger, ServiceBroker } from "moleculer";
import { type Answer, refused } from "../../../domain/refusal.ts";
import {
  type PublicJwk,
  type AccessTokens,
  createAccessTokens,
} from "../../../lib/auth/access-token.ts";
import type { AvailabilityChanged } from "../../../lib/availability/availability-cache.ts";
import { nodeContextOf } from "../../../lib/bus/node-context.ts";
import { systemClock } from "../../../lib/concurrency/clock.ts";
import { openAudit } from "../../../lib/observability/audit-log.ts";
import { countFault, faultFacts } from "../../../lib/observability/faults.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import type { WithTokens } from "../../../mixins/tokens.mixin.ts";
import { createBus } from "../bus/service-client.ts";
import { createClientReader } from "../http/client-info.ts";
import { createThrottles } from "../http/rate-limits.ts";
import type { PageEvent } from "../pages/painted-pages.ts";
import { type AvailabilityHub, createAvailabilityHub } from "../live/availability-broadcaster.ts";
import { createEventStreams } from "../live/sse-endpoint.ts";
import { createQueryCache } from "./cached-route.ts";
import type { GatewayDeps } from "./handle-request.ts";
import { registerHttpMetrics } from "./http-metrics.ts";
import { createResponseCache, type GatewayCounts } from "./response-cache.ts";

/**
 * Exceeds the time in which the catalog reports that PostgreSQL is down. After both tries, about
 * two seconds, the cache serves a stale response.
 */
const READ_TIMEOUTS = { firstMs: 1_300, secondMs: 600 };
const KEYS_TIMEOUT_MS = 1_000;

export type GatewayParts = {
  deps: GatewayDeps;
  accessTokens: AccessTokens;
  hub: AvailabilityHub;
  /** Reads an event for its page. Can refuse with: EVENT_NOT_FOUND, TRY_AGAIN. */
  getEvent: (eventId: string, requestId: string) => Promise<Answer<PageEvent>>;
};

/** Builds the parts that requests share. `service` is the gateway's. */
export function createGatewayParts(
  { broker, logger, tokens }: { broker: ServiceBroker; logger: Logger } & WithTokens,
  counts: GatewayCounts,
  rateLimitStore: RedisClient | undefined,
): GatewayParts {
  const { config, metrics, tracing } = nodeContextOf(broker);
  const busOf = createBus(broker);
  const client = createClientReader(config.trustedProxies);
  const accessTokens = createAccessTokens(() => fetchKeys(broker));
  const fault: GatewayDeps["fault"] = (error, facts) => {
    countFault("request");
    logger.error({ ...facts, ...faultFacts(error) }, "A request failed");
  };
  const hub = createAvailabilityHub(
    (eventIds) =>
      busOf("availability", undefined, READ_TIMEOUTS).call<AvailabilityChanged>("catalog.left", {
        eventIds,
      }),
    systemClock,
  );
  const deps: GatewayDeps = {
    client,
    busOf,
    fault,
    tracing,
    gatewayCounts: counts,
    audit: openAudit(broker),
    verifyAccessToken: accessTokens.verify,
    mintInternalToken: tokens.mint,
    throttles: rateLimitStore && createThrottles(rateLimitStore),
    responseCache: createResponseCache(counts),
    queryCache: createQueryCache(),
    fetchValue: (route, input, requestId) =>
      route.call(input, busOf(requestId, undefined, READ_TIMEOUTS)),
    observe: metrics && registerHttpMetrics(metrics, counts),
    streams: createEventStreams({ client, hub, limited: rateLimitStore !== undefined }),
  };
  const getEvent: GatewayParts["getEvent"] = (eventId, requestId) =>
    busOf(requestId, undefined, READ_TIMEOUTS).call("catalog.get", { eventId });
  return { deps, accessTokens, hub, getEvent };
}

async function fetchKeys(broker: ServiceBroker): Promise<Answer<{ keys: PublicJwk[] }>> {
  // Moleculer would log every call that no node can answer.
  if (!broker.registry.actions.isAvailable("auth.keys")) return refused("TRY_AGAIN");
  return broker.call<Answer<{ keys: PublicJwk[] }>, object>(
    "auth.keys",
    {},
    { timeout: KEYS_TIMEOUT_MS },
  );
}
