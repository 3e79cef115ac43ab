import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallingOptions, Context, ServiceBroker, ServiceSchema } from "moleculer";
import ApiGateway, { type ApiSettingsSchema } from "moleculer-web";
import type { Config } from "../../config/index.ts";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import { openAudit } from "../../lib/observability/audit-log.ts";
import {
  AVAILABILITY_CHANGED,
  type AvailabilityChanged,
} from "../../lib/availability/availability-event.ts";
import { systemClock } from "../../lib/concurrency/clock.ts";
import type { Metrics } from "../../lib/observability/metrics.ts";
import type { Health } from "../../lib/http/health.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { problemOf, sendAnswer } from "../../lib/http/problem-details.ts";
import type { RedisClient } from "../../lib/redis/client.ts";
import type { Tracing } from "../../lib/observability/tracing.ts";
import { loopNowMs } from "../../lib/concurrency/loop-time.ts";
import type { PublicJwk } from "../../lib/auth/access-token.ts";
import { type AccessTokens, createAccessTokens } from "./http/access-token-verifier.ts";
import { API_ROUTES } from "./routes/index.ts";
import { type AvailabilityHub, createAvailabilityHub } from "./live/availability-broadcaster.ts";
import { createBus } from "./bus/service-client.ts";
import { followCertificate } from "./server/tls-reload.ts";
import { createClientReader } from "./http/client-info.ts";
import { resourcesOf } from "./routing/compile-route.ts";
import { createEdgePolicy } from "./server/edge-policy.ts";
import { createEventStreams } from "./live/sse-endpoint.ts";
import { createDirectRouter } from "./routing/direct-router.ts";
import {
  createResponseCache,
  type GatewayCounts,
  newGatewayCounts,
} from "./handling/response-cache.ts";
import { registerHttpMetrics } from "./handling/http-metrics.ts";
import { operationResources, servePlain } from "./routes/health.routes.ts";
import { createQueryCache } from "./handling/cached-route.ts";
import { requestIdOf } from "./http/client-info.ts";
import { type RequestContext, type GatewayDeps, serve } from "./handling/handle-request.ts";
import { createAdmissionQueue } from "./server/admission-queue.ts";
import { type GatewayServer, createGatewayServer } from "./server/http-server.ts";
import { newStreamCounts } from "./live/sse-channel.ts";
import { createThrottles } from "./http/rate-limits.ts";
import { tracedRequests } from "./handling/request-tracing.ts";
import { readWebApp } from "./routes/web-app.routes.ts";

export type ApiDependencies = {
  /** Port 0 takes any free port; see `listening`. */
  config: Pick<
    Config,
    | "host"
    | "port"
    | "portSharing"
    | "tls"
    | "internalTokenSecret"
    | "trustedProxies"
    | "corsOrigins"
  >;
  /** Where all gateways count together, closed by whoever opened it; undefined switches every limit off. */
  throttleStore: RedisClient | undefined;
  health: Health;
  /** Aborted when the node begins to stop: answers then say that their connection ends, while new ones are still taken. */
  leaving?: AbortSignal;
  /** How long the first start waits for the services it needs before the port is opened all the same; 0 unless said. */
  waitMs?: number;
  /** Of the layer of kept answers; counted into, for whoever looks. */
  gatewayCounts?: GatewayCounts;
  /** Undefined where nobody looks. */
  metrics?: Metrics | undefined;
  /** Undefined where nothing is traced. */
  tracing?: Tracing | undefined;
  /** Hears the address once the gateway answers there. */
  listening?: (url: string) => void;
};

/** A gateway whose token names a new key waits so long for auth to tell it. */
const KEYS_MS = 1_000;

const WAIT_STEP_MS = 20;
/** Longer than the catalogue takes to say that PostgreSQL is away; after two seconds in all, what is kept stands in. */
const READ_PATIENCE = { firstMs: 1_300, againMs: 600 };

/** Without these on the bus the gateway has nothing to serve. */
export const NEEDED_SERVICES = ["auth", "catalog", "purchasing"];

/** moleculer-web's own type lacks some of what it reads. */
type Settings = Omit<ApiSettingsSchema, "rootCallOptions" | "routes"> & {
  rootCallOptions: unknown;
  logRouteRegistration: null;
  routes: unknown[];
};

/** A request as moleculer-web hands it to an alias. */
type GatewayRequest = IncomingMessage & {
  originalUrl: string;
  $ctx: Context;
  $params: { params: Record<string, string> };
};

type Gateway = { httpHandler(request: IncomingMessage, response: ServerResponse): Promise<void> };

/**
 * The HTTP gateway: the only door from outside. Paths come from the tables of routes and from nowhere else; no action can be named by a URL.
 * moleculer-web routes and gives each request its context; reading, checking, refusing and answering are ours (`serve`).
 */
export function createApiService(dependencies: ApiDependencies): ServiceSchema {
  const {
    config,
    health,
    throttleStore,
    leaving,
    waitMs = 0,
    gatewayCounts = newGatewayCounts(),
  } = dependencies;
  let server: GatewayServer | undefined;
  let tools: GatewayDeps;
  let accessTokens: AccessTokens;
  let forgetCertificate: (() => void) | undefined;
  let hub: AvailabilityHub | undefined;
  const closeDoor = async (): Promise<void> => {
    hub?.end();
    await server?.close();
  };

  const aliases: Record<string, (request: GatewayRequest, response: ServerResponse) => void> = {};
  const resources = resourcesOf(API_ROUTES);
  const serving = tracedRequests(serve, dependencies.tracing);
  for (const resource of resources)
    aliases[`* ${resource.path.replaceAll(/\{(\w+)\}/g, ":$1")}`] = (request, response) =>
      serving(tools, resource, askedThroughRouter(request), request, response);
  const webApp = readWebApp();
  for (const resource of [...operationResources(health), ...(webApp?.resources ?? [])])
    aliases[`* ${resource.path}`] = (request, response) =>
      void servePlain(resource, request.$ctx.requestID ?? "", request, response);

  const schema: ServiceSchema<Settings> = {
    name: "api",
    mixins: [ApiGateway],
    settings: {
      $secureSettings: ["routes"],
      // The server is ours: moleculer-web's takes neither a backlog nor header time-outs.
      server: false,
      logRequest: null,
      logRequestParams: null,
      logResponse: null,
      logRouteRegistration: null,
      rootCallOptions: (options: CallingOptions, request: IncomingMessage) => {
        options.requestID = requestIdOf(request);
        // The gateway itself waits for the requests under way when it stops (GatewayDrain).
        options.tracking = false;
      },
      routes: [
        {
          path: "/",
          mappingPolicy: "restrict",
          mergeParams: false,
          bodyParsers: false,
          logging: false,
          pathToRegexpOptions: { sensitive: true },
          aliases,
        },
      ],
    },
    actions: {
      // Private to this service: the context under which a request is served. Who may do what is decided per route.
      rest: { auth: "public" },
      /** Figures of this gateway, for operators. */
      status: {
        auth: "operator",
        unaudited: true,
        params: { $$strict: true },
        handler: () => accepted({ kept: gatewayCounts, streams: hub?.counts ?? newStreamCounts() }),
      },
      listAliases: false,
      addRoute: false,
      removeRoute: false,
    },
    events: {
      /** What workers and imports have changed. */
      [AVAILABILITY_CHANGED](ctx: Context<AvailabilityChanged>) {
        hub?.onUpdate(ctx.params.items);
      },
    },
    methods: {
      /** The query is read by the route that takes one, strictly. */
      parseQueryString(request: IncomingMessage) {
        const url = request.url ?? "/";
        const question = url.indexOf("?");
        return { url: question === -1 ? url : url.slice(0, question), query: {} };
      },
      send404(request: IncomingMessage, response: ServerResponse) {
        sendAnswer(
          request,
          response,
          webApp?.notFound(request) ?? problemOf("NOT_FOUND", requestIdIn(response)),
        );
        tools.watch?.("no such path", request, response, loopNowMs());
      },
      errorHandler(
        request: IncomingMessage,
        response: ServerResponse,
        error: Error & { type?: string },
      ) {
        const undecodable = error.type === "UNABLE_DECODE_PARAM";
        if (!undecodable)
          this.logger.error(
            { requestId: requestIdIn(response), ...faultFacts(error) },
            "A request failed before its route",
          );
        const problem = undecodable
          ? problemOf("VALIDATION_ERROR", requestIdIn(response), {
              errors: [{ field: "", rule: "encoding" }],
            })
          : problemOf("INTERNAL", requestIdIn(response));
        sendAnswer(request, response, problem);
      },
    },
    created() {
      const { logger, broker } = this;
      accessTokens = createAccessTokens(async () => {
        // Moleculer would log each question that nobody can answer.
        if (!broker.registry.actions.isAvailable("auth.keys")) return refused("TRY_AGAIN");
        return broker.call<Answer<{ keys: PublicJwk[] }>, object>(
          "auth.keys",
          {},
          { timeout: KEYS_MS },
        );
      });
      const busOf = createBus(broker);
      const client = createClientReader(config.trustedProxies);
      const fault: GatewayDeps["fault"] = (error, facts) =>
        logger.error({ ...facts, ...faultFacts(error) }, "A request failed");
      const look = (eventIds: string[]) =>
        busOf(contextOf(broker, "availability"), undefined, READ_PATIENCE).ask<AvailabilityChanged>(
          "catalog.left",
          { eventIds },
        );
      const live = createAvailabilityHub(look, systemClock);
      hub = live;
      tools = {
        verifyAccessToken: (token) => accessTokens.verify(token),
        client,
        throttles: throttleStore && createThrottles(throttleStore),
        mintInternalToken: createInternalTokenMint(config.internalTokenSecret),
        busOf,
        audit: openAudit(broker),
        responseCache: createResponseCache(gatewayCounts),
        gatewayCounts,
        knownQuestions: createQueryCache(),
        watch: dependencies.metrics && registerHttpMetrics(dependencies.metrics, gatewayCounts),
        askFor: (route, input, requestId) =>
          route.call(input, busOf(contextOf(broker, requestId), undefined, READ_PATIENCE)),
        fault,
        streams: createEventStreams({
          client,
          fault,
          hub: live,
          limited: throttleStore !== undefined,
        }),
      };
      const gateway = this as unknown as Gateway;
      const edge = createEdgePolicy({ ...tools, corsOrigins: config.corsOrigins });
      const line = createAdmissionQueue();
      const frontDoor = createDirectRouter(resources, (resource, question, request, response) => {
        const beganMs = loopNowMs();
        const work = () =>
          serving(
            tools,
            resource,
            { ...question, beganMs, context: contextOf(broker, question.requestId) },
            request,
            response,
          );
        // Who looks lets those pass who buy.
        if (resource.byMethod.get(request.method ?? "")?.cached) line(work);
        else work();
      });
      server = createGatewayServer(config.tls, (request, response) => {
        if (edge(request, response)) tools.watch?.("refused early", request, response, loopNowMs());
        else if (!frontDoor(request, response)) void gateway.httpHandler(request, response);
      });
      leaving?.addEventListener("abort", () => {
        server?.leave();
        live.end();
      });
      // Before any service of this node stops, the gateway stops taking requests and answers those it has: hooks stop in reverse order.
      broker.middlewares.add({ name: "GatewayDrain", stopping: () => closeDoor() });
    },
    async started() {
      // Who is sent here by a load balancer is to be served, not told that nobody is known yet.
      if (waitMs > 0)
        await this.broker
          .waitForServices([...NEEDED_SERVICES], waitMs, WAIT_STEP_MS)
          .catch(() => undefined);
      accessTokens.start();
      const url = await server?.listen(config.host, config.port, config.portSharing);
      if (url === undefined) return;
      if (config.tls !== undefined)
        forgetCertificate = followCertificate(config.tls, {
          renewed: (tls) => {
            server?.renew(tls);
            this.logger.info("The certificate has been renewed");
          },
          broken: (reason) =>
            this.logger.error(
              `The new files of the certificate do not work (${reason}): the old one stays`,
            ),
        });
      this.logger.info(`The gateway answers on ${url}`);
      if (webApp === undefined)
        this.logger.warn(
          "The web app is not built, so there are no pages: npx boxoffice build makes it",
        );
      dependencies.listening?.(url);
    },
    async stopped() {
      accessTokens.stop();
      tools.throttles?.close();
      forgetCertificate?.();
      await closeDoor();
    },
  };
  return schema as unknown as ServiceSchema;
}

function askedThroughRouter({ originalUrl, $ctx, $params }: GatewayRequest): RequestContext {
  const question = originalUrl.indexOf("?");
  const queryText = question === -1 ? "" : originalUrl.slice(question + 1);
  return {
    params: $params.params,
    queryText,
    requestId: $ctx.requestID ?? "",
    beganMs: loopNowMs(),
    context: $ctx,
  };
}

/** Calls in the name of a request that has no context of moleculer-web's. */
function contextOf(broker: ServiceBroker, requestID: string): Pick<Context, "call"> {
  const call = (action: string, params: object, options: CallingOptions) =>
    broker.call(action, params, { ...options, requestID });
  return { call } as Pick<Context, "call">;
}

/** moleculer-web has put it there before anything of ours runs. */
function requestIdIn(response: ServerResponse): string | undefined {
  return response.getHeader("X-Request-ID") as string | undefined;
}

/** For the log: where it happened and of what type. What else an error carries (a statement, its values) stays out. */
function faultFacts(error: unknown): { type: unknown; stack: string } {
  const { type, stack } = error as { type?: unknown; stack?: string };
  return { type, stack: stack ?? String(error) };
}
