import type { IncomingMessage, ServerResponse } from "node:http";
import type { Resource } from "./compile-route.ts";
import type { MatchedPath } from "./route.ts";
import { type Context, Errors, type Logger } from "moleculer";
import type { Alias, ApiRouteSchema } from "moleculer-web";
import type { Caller } from "../../../lib/auth/jwt.ts";
import {
  PROBLEMS,
  type ProblemCode,
  problemOf,
  sendAnswer,
} from "../../../lib/http/problem-details.ts";
import {
  authenticate,
  type Exchange,
  type GatewayDeps,
  isAuthorized,
  openExchange,
  refuse,
  respond,
} from "../handling/handle-request.ts";
import { type PlainResource, servePlain } from "../routes/health.routes.ts";

type Serve = (resource: Resource, matched: MatchedPath) => void;
/** Serves a request; false if it is no hot route's. */
type DirectRouter = (request: IncomingMessage, serve: Serve) => boolean;

const PARAMETER = /\{(\w+)\}/g;

/**
 * Serves the hot routes, those marked `direct`. moleculer-web's context and alias cost such a
 * request as much CPU as its answer, so this router runs before it. Every other method and
 * unusual spelling (a slash at the end, percents) is left to moleculer-web, whose aliases lead to
 * the same handler. See docs/decisions/0019-direct-router-for-hot-paths.md.
 */
export function createDirectRouter(resources: readonly Resource[]): DirectRouter {
  const routes = resources
    .map((resource) => ({
      resource,
      methods: [...resource.byMethod].flatMap(([method, { direct }]) => (direct ? [method] : [])),
      names: [...resource.path.matchAll(PARAMETER)].map(([, name = ""]) => name),
      // V8 takes six times as long for named groups.
      pattern: new RegExp(`^${resource.path.replaceAll(PARAMETER, "([\\w-]+)")}$`),
    }))
    .filter(({ methods }) => methods.length > 0)
    // A literal path precedes one with a parameter in its place.
    .sort((one, other) => one.names.length - other.names.length);

  return (request, serve) => {
    const { method = "", url = "" } = request;
    const mark = url.indexOf("?");
    const path = mark === -1 ? url : url.slice(0, mark);
    for (const { resource, methods, names, pattern } of routes) {
      if (!methods.includes(method)) continue;
      const match = pattern.exec(path);
      if (match === null) continue;
      const params: MatchedPath["params"] = {};
      for (const [index, name] of names.entries()) params[name] = match[index + 1] ?? "";
      serve(resource, { params, queryText: queryTextOf(url) });
      return true;
    }
    return false;
  };
}

/** The text behind `?`. */
export function queryTextOf(url: string): string {
  const mark = url.indexOf("?");
  return mark === -1 ? "" : url.slice(mark + 1);
}

/** What the hooks use of the gateway's service. */
type Gateway = { deps: GatewayDeps; logger: Logger };

/** A request as moleculer-web passes it to hooks and aliases. */
type WebRequest = IncomingMessage & {
  originalUrl: string;
  $ctx: Context<unknown, object, { exchange: Exchange }>;
  $params: { params: Record<string, string> };
};

const ROUTE: ApiRouteSchema = {
  path: "/",
  // No action can be named by a URL.
  mappingPolicy: "restrict",
  mergeParams: false,
  // Bodies are read after the caller is known, and strictly.
  bodyParsers: false,
  logging: false,
};

/** Carries a refusal out of a hook, which can only throw. */
class RequestRefused extends Errors.MoleculerClientError {
  readonly problem: ProblemCode;

  constructor(problem: ProblemCode) {
    super(PROBLEMS[problem].title, PROBLEMS[problem].status, problem);
    this.problem = problem;
  }
}

/** moleculer-web's route of the API. One alias per path, since a known path refuses with 405. */
export function apiRoute(resources: readonly Resource[]): object {
  const byAlias = new Map(resources.map((resource) => [aliasPath(resource.path), resource]));
  const respondTo = function (this: Gateway, request: WebRequest): void {
    respond(this.deps, request.$ctx.locals.exchange);
  };
  return {
    ...ROUTE,
    name: "api",
    pathToRegexpOptions: { sensitive: true },
    authentication: true,
    authorization: true,
    aliases: Object.fromEntries([...byAlias.keys()].map((path) => [`* ${path}`, respondTo])),
    /** Opens the exchange that the later hooks and the alias work on. */
    onBeforeCall(
      this: Gateway,
      ctx: WebRequest["$ctx"],
      _route: unknown,
      request: WebRequest,
      response: ServerResponse,
      { path }: Alias,
    ) {
      const resource = byAlias.get(`/${path}`);
      if (resource === undefined) throw new Error(`No route has the alias /${path}`);
      ctx.locals.exchange = openExchange(
        this.deps,
        resource,
        { params: request.$params.params, queryText: queryTextOf(request.originalUrl) },
        request,
        response,
        { requestId: ctx.requestID ?? undefined },
      );
    },
  };
}

/** moleculer-web's route of what asks no service: probes, pages and their files. */
export function plainRoute(resources: readonly PlainResource[]): object {
  const aliases = resources.map((resource) => [
    `* ${resource.path}`,
    (request: WebRequest, response: ServerResponse, next: (error: unknown) => void) =>
      void servePlain(resource, request.$ctx.requestID ?? "", request, response).catch(next),
  ]);
  return {
    ...ROUTE,
    name: "plain",
    pathToRegexpOptions: { sensitive: true },
    aliases: Object.fromEntries(aliases) as ApiRouteSchema["aliases"],
  };
}

/** moleculer-web's hooks that are methods of the service. */
export const webHooks = {
  /** Answers the caller, which moleculer-web puts in `ctx.meta.user`. */
  async authenticate(this: Gateway, ctx: WebRequest["$ctx"]): Promise<Caller | undefined> {
    const { exchange } = ctx.locals;
    const caller = await authenticate(this.deps, exchange);
    if (!caller.ok) throw new RequestRefused(caller.refusal.code);
    return (exchange.served.caller = caller.value);
  },

  async authorize(this: Gateway, ctx: WebRequest["$ctx"]): Promise<void> {
    if (!isAuthorized(ctx.locals.exchange)) throw new RequestRefused("FORBIDDEN");
  },
};

/** Answers every error with a problem document. moleculer-web's own answer sends the message. */
export function onError(
  this: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
  error: Error & { type?: string },
): void {
  const { $ctx } = request as Partial<WebRequest>;
  if (error instanceof RequestRefused && $ctx !== undefined)
    return refuse(this.deps, $ctx.locals.exchange, error.problem);
  const requestId = requestIdIn(response);
  if (error.type === "UNABLE_DECODE_PARAM") {
    const errors = [{ field: "", rule: "encoding" }];
    sendAnswer(request, response, problemOf("VALIDATION_ERROR", requestId, { errors }));
    return;
  }
  this.deps.fault(error, { requestId, route: "before its route" });
  sendAnswer(request, response, problemOf("INTERNAL", requestId));
}

/** moleculer-web has set the header before any hook runs. */
export function requestIdIn(response: ServerResponse): string | undefined {
  return response.getHeader("X-Request-ID") as string | undefined;
}

function aliasPath(path: string): string {
  return path.replaceAll(PARAMETER, ":$1");
}
