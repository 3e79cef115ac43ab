import { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallingOptions, Context, ServiceSchema } from "moleculer";
import ApiGateway, { type ApiSettingsSchema } from "moleculer-web";
import { accepted } from "../../domain/refusal.ts";
import {
  AVAILABILITY_CHANGED,
  type AvailabilityChanged,
} from "../../lib/availability/availability-cache.ts";
import { configOf, nodeContextOf } from "../../lib/bus/node-context.ts";
import { loopNowMs } from "../../lib/concurrency/clock.ts";
import { problemOf } from "../../lib/http/problem-details.ts";
import { guarded } from "../../lib/observability/faults.ts";
import { redisConnection } from "../../mixins/redis.mixin.ts";
import { TokensMixin, type WithTokens } from "../../mixins/tokens.mixin.ts";
import { createGatewayParts, type GatewayParts } from "./handling/gateway-deps.ts";
import { type Exchange, openExchange, serve, shed } from "./handling/handle-request.ts";
import { type GatewayCounts, newGatewayCounts } from "./handling/response-cache.ts";
import { requestIdOf } from "./http/client-info.ts";
import { operationResources, sendPlain } from "./routes/health.routes.ts";
import { API_ROUTES } from "./routes/index.ts";
import { imageResource } from "./routes/image.routes.ts";
import { readWebApp, type WebApp } from "./routes/web-app.routes.ts";
import { resourcesOf } from "./routing/compile-route.ts";
import {
  createDirectRouter,
  apiRoute,
  onError,
  plainRoute,
  requestIdIn,
  webHooks,
} from "./routing/routers.ts";
import { createAdmission } from "./server/admission.ts";
import { createEdgePolicy } from "./server/edge-policy.ts";
import { createGatewayServer, type GatewayServer } from "./server/http-server.ts";
import { followCertificate } from "./server/tls-reload.ts";

/** Services on the bus without which the gateway is not ready. */
const NEEDED_SERVICES = ["auth", "catalog", "purchasing"];
const WAIT_STEP_MS = 20;
const RESOURCES = resourcesOf(API_ROUTES);

/** moleculer-web reads more settings than its type names. */
type Settings = Omit<ApiSettingsSchema, "rootCallOptions" | "routes" | "onError"> & {
  rootCallOptions: (options: CallingOptions, request: IncomingMessage) => void;
  logRouteRegistration: null;
  routes: object[];
  onError: typeof onError;
  /** A start waits this long for the needed services; then the port opens all the same. */
  waitMs: number;
  /** The built web app, if it is elsewhere than in public/dist. */
  webAppFolder: string | undefined;
};

type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Methods that the mixin of moleculer-web adds. */
type WebMethods = {
  addRoute(route: object): void;
  sendError(request: IncomingMessage, response: ServerResponse, error: Error): void;
  express(): HttpHandler;
};
type Methods = typeof webHooks & {
  parseQueryString(request: IncomingMessage): { url: string; query: object };
  send404(request: IncomingMessage, response: ServerResponse): void;
  errorHandler(request: IncomingMessage, response: ServerResponse, error: Error): void;
  createHttpHandler(): HttpHandler;
  closeServer(): Promise<void>;
};
/** What operators, tests and benchmarks read of a running gateway. */
export type GatewayFigures = {
  counts: GatewayCounts;
  /** The address of the gateway; undefined before it listens. */
  url: string | undefined;
};
type Vars = WithTokens &
  WebMethods &
  GatewayParts &
  GatewayFigures & {
    webApp: WebApp | undefined;
    httpServer: GatewayServer;
    stopFollowing: (() => void) | undefined;
  };

/**
 * The HTTP gateway. The tables in `routes/` are the only source of paths; no URL names an action.
 * Requests pass the edge policy, then the direct router for hot routes, then moleculer-web. Both
 * routers end in `respond` of handle-request.ts.
 */
const ApiService: ServiceSchema<Settings, Methods, Vars> = {
  name: "api",
  mixins: [ApiGateway, TokensMixin()],

  settings: {
    $secureSettings: ["routes"],
    // The gateway has its own server (http-server.ts): moleculer-web's takes no backlog, no bound
    // of headers, and no time-outs but one.
    server: false,
    logRequest: null,
    logRequestParams: null,
    logResponse: null,
    logRouteRegistration: null,
    rootCallOptions(options, request) {
      options.requestID = requestIdOf(request);
      // The gateway drains its requests itself (GatewayDrain).
      options.tracking = false;
    },
    onError,
    waitMs: 3_000,
    webAppFolder: undefined,
    routes: [apiRoute(RESOURCES)],
  },

  actions: {
    /** moleculer-web's context of a request; private. Each route says who may call. */
    rest: { auth: "public" },
    /** Counters of this gateway, for operators. */
    status: {
      auth: "operator",
      unaudited: true,
      params: { $$strict: true },
      handler() {
        return accepted({ kept: this.counts, streams: this.hub.counts });
      },
    },
    listAliases: false,
    addRoute: false,
    removeRoute: false,
  },

  events: {
    [AVAILABILITY_CHANGED](ctx: Context<AvailabilityChanged>) {
      this.hub.onUpdate(ctx.params.items);
    },
  },

  methods: {
    ...webHooks,

    /** Leaves the query to the route's strict parser. */
    parseQueryString({ url = "" }: IncomingMessage) {
      const mark = url.indexOf("?");
      return { url: mark === -1 ? url : url.slice(0, mark), query: {} };
    },

    send404(request: IncomingMessage, response: ServerResponse) {
      guarded("request", async () => {
        const page = await this.webApp?.notFound(request);
        await sendPlain(request, response, page ?? problemOf("NOT_FOUND", requestIdIn(response)));
        this.deps.observe?.("no such path", request, response, loopNowMs());
      });
    },

    /** Replaces a method that logs the error's message and data, which may hold values. */
    errorHandler(request: IncomingMessage, response: ServerResponse, error: Error) {
      this.sendError(request, response, error);
    },

    /** Chains the middlewares of a request. */
    createHttpHandler(): HttpHandler {
      const { deps } = this;
      const admission = createAdmission();
      const { client, throttles, audit } = deps;
      const { corsOrigins } = configOf(this.broker);
      const observe: HttpHandler = (request, response) =>
        deps.observe?.("refused early", request, response, loopNowMs());
      const edge = createEdgePolicy({ client, throttles, audit, corsOrigins, observe });
      const direct = createDirectRouter(RESOURCES);
      const serveNow = (exchange: Exchange): void => {
        // Searches wait in a queue of their own, so that a crowd of them does not delay purchases.
        const work = (): void => guarded("request", () => serve(deps, exchange));
        if (exchange.route?.cached) admission.search(work);
        else if (exchange.route?.idempotent)
          admission.purchase(work, () => guarded("request", () => shed(deps, exchange)));
        else work();
      };
      const web = this.express();
      return (request, response) => {
        try {
          edge(request, response, (headers) => {
            const isHot = direct(request, (resource, matched) =>
              serveNow(openExchange(deps, resource, matched, request, response, { headers })),
            );
            if (isHot) return;
            for (const name in headers) response.setHeader(name, headers[name] ?? "");
            web(request, response);
          });
        } catch (error) {
          if (!response.headersSent) response.setHeader("X-Request-ID", requestIdOf(request));
          this.errorHandler(request, response, error as Error);
        }
      };
    },

    async closeServer() {
      this.hub.end();
      await this.httpServer.close();
    },
  },

  created() {
    const { config, health, needs, leaving } = nodeContextOf(this.broker);
    for (const name of NEEDED_SERVICES) needs.add(name);
    this.counts = newGatewayCounts();
    const store = config.rateLimits ? redisConnection.acquire(this.broker) : undefined;
    Object.assign(this, createGatewayParts(this, this.counts, store));
    const deps = {
      ...this.deps,
      getEvent: this.getEvent,
      // Without PUBLIC_URL, links lead to this gateway itself.
      siteUrl: () => config.publicUrl ?? this.url ?? "",
    };
    this.webApp = readWebApp(deps, this.settings.webAppFolder);
    const plain = [...operationResources(health), imageResource(config.dataDir)];
    this.addRoute(plainRoute([...plain, ...(this.webApp?.resources ?? [])]));
    this.httpServer = createGatewayServer(config.tls, this.createHttpHandler());
    leaving.addEventListener("abort", () => {
      this.httpServer.leave();
      this.hub.end();
    });
    // Hooks of `stopping` run in reverse order: the gateway drains before any service stops.
    this.broker.middlewares.add({ name: "GatewayDrain", stopping: () => this.closeServer() });
  },

  async started() {
    const { tls, host, port, portSharing } = configOf(this.broker);
    // A load balancer sends requests as soon as the port is open.
    if (this.settings.waitMs > 0)
      await this.broker
        .waitForServices(NEEDED_SERVICES, this.settings.waitMs, WAIT_STEP_MS)
        .catch(() => undefined);
    this.accessTokens.start();
    this.url = await this.httpServer.listen(host, port, portSharing);
    if (tls !== undefined) {
      let used = tls;
      nodeContextOf(this.broker).metrics?.read(
        "boxoffice_certificate_expiry_timestamp_seconds",
        "When the gateway's certificate ends.",
        "gauge",
        () => [{ value: Date.parse(new X509Certificate(used.cert).validTo) / 1_000 }],
      );
      this.stopFollowing = followCertificate(tls, {
        renewed: (renewed) => {
          used = renewed;
          this.httpServer.renew(renewed);
          this.logger.info("The certificate was renewed");
        },
        broken: (reason) =>
          this.logger.error(`The new certificate does not work (${reason}): the old one stays`),
      });
    }
    this.logger.info(`The gateway answers on ${this.url}`);
    if (this.webApp === undefined)
      this.logger.warn(
        "The web app is not built, so there are no pages: npx boxoffice build makes it",
      );
  },

  async stopped() {
    this.accessTokens.stop();
    this.deps.throttles?.close();
    this.stopFollowing?.();
    await this.closeServer();
    if (configOf(this.broker).rateLimits) await redisConnection.release(this.broker);
  },
};
export default ApiService;
