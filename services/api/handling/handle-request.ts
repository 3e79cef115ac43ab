import type { IncomingMessage, ServerResponse } from "node:http";
import type { Span } from "@opentelemetry/api";
import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import type { MintInternalToken, Caller } from "../../../lib/auth/jwt.ts";
import { loopNowMs } from "../../../lib/concurrency/clock.ts";
import {
  type ProblemCode,
  type Reply,
  problemOf,
  sendAnswer,
} from "../../../lib/http/problem-details.ts";
import type { Audit } from "../../../lib/observability/audit-log.ts";
import type { Tracing } from "../../../lib/observability/tracing.ts";
import { rateLimitHeaders, throttledData } from "../../../lib/rate-limit/local-rate-limiter.ts";
import type { BusOf } from "../bus/service-client.ts";
import { requestIdOf } from "../http/client-info.ts";
import { compressed } from "../http/compression.ts";
import type { EventStreams } from "../live/sse-endpoint.ts";
import type { CompiledRoute, Resource } from "../routing/compile-route.ts";
import { answeredKey, readInput } from "../routing/parse-request.ts";
import type { Input, MatchedPath, MatchedRequest } from "../routing/route.ts";
import { type Served, auditEntry } from "./audit-entry.ts";
import { type CachedRouteDeps, serveCachedRoute } from "./cached-route.ts";
import type { HttpMetrics } from "./http-metrics.ts";
import { beginSpan } from "./request-tracing.ts";

export type GatewayDeps = CachedRouteDeps & {
  /** A promise only if a token names a key that is not known yet. */
  verifyAccessToken: (token: string) => Answer<Caller> | Promise<Answer<Caller>>;
  mintInternalToken: MintInternalToken;
  audit: Audit;
  /** Undefined if metrics are disabled. */
  observe: HttpMetrics | undefined;
  /** Undefined if traces are disabled. */
  tracing: Tracing | undefined;
  streams: EventStreams;
  busOf: BusOf;
};

/** One request to one resource, and what is known about it so far. */
export type Exchange = MatchedRequest & {
  resource: Resource;
  /** Undefined if the resource does not take the method. */
  route: CompiledRoute | undefined;
  /** When the request arrived, on the clock of `loopNowMs`. */
  startedAtMs: number;
  /** Of a route that takes one: the client's key or a new one. */
  idempotencyKey: string;
  /** For the audit trail. */
  served: Served;
  span: Span | undefined;
};

/**
 * Opens the exchange of a request that a router has matched. `known`: its id if it has one already,
 * and headers of its answer.
 */
export function openExchange(
  deps: GatewayDeps,
  resource: Resource,
  { params, queryText }: MatchedPath,
  request: IncomingMessage,
  response: ServerResponse,
  known: { requestId?: string | undefined; headers?: Readonly<Record<string, string>> } = {},
): Exchange {
  const requestId = known.requestId ?? requestIdOf(request);
  const route = resource.byMethod.get(request.method ?? "");
  const headers: Record<string, string> = { ...known.headers, "X-Request-ID": requestId };
  let idempotencyKey = "";
  if (route?.idempotent === true)
    headers["Idempotency-Key"] = idempotencyKey = answeredKey(request);
  return {
    request,
    response,
    resource,
    route,
    params,
    queryText,
    requestId,
    startedAtMs: loopNowMs(),
    idempotencyKey,
    headers,
    served: { status: 500, outcome: "INTERNAL" },
    span: deps.tracing && beginSpan(deps.tracing, route, requestId, request, response),
  };
}

/**
 * Finds the caller by the access token; undefined on a public route.
 * Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED, TRY_AGAIN. On an idempotent route that is
 * OUTCOME_UNKNOWN: its key was not looked up, and an earlier request may have sold it.
 */
export function authenticate(
  deps: GatewayDeps,
  { route, request }: Exchange,
): Answer<Caller | undefined> | Promise<Answer<Caller | undefined>> {
  if (route === undefined || route.auth === "public") return accepted(undefined);
  const { authorization } = request.headers;
  if (authorization?.slice(0, 7).toLowerCase() !== "bearer ") return refused("UNAUTHENTICATED");
  const verified = deps.verifyAccessToken(authorization.slice(7));
  if (!route.idempotent) return verified;
  return verified instanceof Promise ? verified.then(withoutLook) : withoutLook(verified);
}

function withoutLook<T>(verified: Answer<T>): Answer<T> {
  return !verified.ok && verified.refusal.code === "TRY_AGAIN"
    ? refused("OUTCOME_UNKNOWN")
    : verified;
}

/** Says whether the route admits the caller's role. */
export function isAuthorized({ route, served: { caller } }: Exchange): boolean {
  return route?.auth !== "operator" || caller?.role === "operator";
}

/** Serves a request from its first check on. Never rejects. */
export async function serve(deps: GatewayDeps, exchange: Exchange): Promise<void> {
  try {
    const verified = authenticate(deps, exchange);
    const caller = verified instanceof Promise ? await verified : verified;
    if (!caller.ok) {
      refuse(deps, exchange, caller.refusal.code);
      return;
    }
    exchange.served.caller = caller.value;
  } catch (error) {
    fail(deps, exchange, error);
    return;
  }
  if (isAuthorized(exchange)) respond(deps, exchange);
  else refuse(deps, exchange, "FORBIDDEN");
}

/** Refuses a request before its handler. */
export function refuse(deps: GatewayDeps, exchange: Exchange, code: ProblemCode): void {
  complete(deps, exchange, refusal(exchange, code));
  observe(deps, exchange);
}

/**
 * Refuses a purchase that the gateway has no time for. A key that was made for it was never sold. A
 * client's key was not looked up.
 */
export function shed(deps: GatewayDeps, exchange: Exchange): void {
  const { request, idempotencyKey } = exchange;
  const own = request.headers["idempotency-key"] === idempotencyKey;
  refuse(deps, exchange, own ? "OUTCOME_UNKNOWN" : "TRY_AGAIN");
}

/** Answers a request whose caller is known and admitted. Every route ends here. */
export function respond(deps: GatewayDeps, exchange: Exchange): void {
  const { span } = exchange;
  const work = async (): Promise<void> => answer(deps, exchange);
  const answering = span === undefined ? work() : deps.tracing?.run(span, work);
  answering
    ?.then(
      () => observe(deps, exchange),
      (error: unknown) => fail(deps, exchange, error),
    )
    .catch((error: unknown) => deps.fault(error, factsOf(exchange)));
}

function answer(deps: GatewayDeps, exchange: Exchange): Promise<void> {
  const { route, requestId } = exchange;
  if (route === undefined) return refuseMethod(exchange);
  if (route.stream) return deps.streams.serve(route, exchange, deps.busOf(requestId));
  if (route.cached) return serveCachedRoute(deps, route, exchange);
  return serveOne(deps, route, exchange);
}

async function refuseMethod({ request, response, resource, headers, requestId }: Exchange) {
  const reply =
    request.method === "OPTIONS"
      ? optionsReply(resource.allow)
      : methodRefusal(resource.allow, requestId);
  sendAnswer(request, response, reply, headers);
}

/** Serves a route whose answer is for one caller. */
async function serveOne(
  deps: GatewayDeps,
  route: CompiledRoute,
  exchange: Exchange,
): Promise<void> {
  const { request, response } = exchange;
  const reply = await replyTo(deps, route, exchange);
  complete(deps, exchange, route.compressible ? await compressed(request, response, reply) : reply);
}

/** Logs a fault once and answers INTERNAL. */
function fail(deps: GatewayDeps, exchange: Exchange, error: unknown): void {
  const { request, requestId } = exchange;
  const clientLeft = request.destroyed && !request.complete;
  if (!clientLeft) {
    deps.fault(error, factsOf(exchange));
    complete(deps, exchange, problemOf("INTERNAL", requestId));
  }
  observe(deps, exchange);
}

function factsOf({ request, resource, requestId }: Exchange) {
  return { requestId, route: `${request.method} ${resource.path}` };
}

/** Reads the input, consumes the rate limit, calls the service. Notes facts for the audit trail. */
async function replyTo(
  deps: GatewayDeps,
  route: CompiledRoute,
  exchange: Exchange,
): Promise<Reply> {
  const { request, params, queryText, served } = exchange;
  const { caller } = served;
  const reading = readInput(request, route, params, queryText);
  const read = reading instanceof Promise ? await reading : reading;
  if (!read.ok) {
    const { code, broken: errors, detail } = read;
    return refusal(exchange, code, errors && { errors, ...(detail && { detail }) });
  }
  served.input = read.input;

  const consuming =
    route.throttle &&
    deps.throttles?.consume(route.throttle, {
      address: deps.client.addressOf(request),
      userId: caller?.userId ?? "",
      params: read.input.params,
      body: read.input.body,
    });
  const ticket = consuming instanceof Promise ? await consuming : consuming;
  if (ticket?.verdict !== undefined) {
    Object.assign(exchange.headers, rateLimitHeaders(ticket.verdict));
    if (!ticket.verdict.allowed)
      return refusal(exchange, "TOO_MANY_REQUESTS", throttledData(ticket.verdict));
  }

  const input: Input = {
    ...read.input,
    idempotencyKey: exchange.idempotencyKey,
    client: () => deps.client.clientOf(request),
  };
  const token = caller && deps.mintInternalToken(caller);
  const answered = await route.call(input, deps.busOf(exchange.requestId, token));
  await ticket?.refundOrCharge?.(answered);
  if (!answered.ok) return refusal(exchange, answered.refusal.code, answered.refusal.data);
  served.status = route.status;
  served.outcome = "ok";
  served.value = answered.value;
  return successOf(route, input, answered.value);
}

function successOf(route: CompiledRoute, input: Input, value: unknown): Reply {
  const { headers, body, text } = route.success?.(value, input) ?? { headers: {}, body: value };
  const cache = { "Cache-Control": route.cache ?? "no-store" };
  if (route.status === 202 || route.status === 204)
    return { status: route.status, headers: { ...cache, ...headers }, body: "" };
  return {
    status: route.status,
    headers: { "Content-Type": "application/json", ...cache, ...headers },
    body: text ?? JSON.stringify(body),
  };
}

function refusal(
  { request, headers, served, requestId }: Exchange,
  code: ProblemCode,
  data?: Parameters<typeof problemOf>[2],
): Reply {
  const reply = problemOf(code, requestId, data);
  served.status = reply.status;
  served.outcome = code;
  // A key that was made for this request is of no use: nothing was tried under it.
  if (reply.status === 422 && headers["Idempotency-Key"] !== request.headers["idempotency-key"])
    delete headers["Idempotency-Key"];
  return reply;
}

/** Sends the reply and audits it if the route has an audit name or access was refused. */
function complete(deps: GatewayDeps, exchange: Exchange, reply: Reply): void {
  const { request, response, route, requestId, headers, served } = exchange;
  sendAnswer(request, response, reply, headers);
  const { status } = served;
  if (route !== undefined && (route.audit !== undefined || status === 401 || status === 403))
    deps.audit(auditEntry(route, request, requestId, deps.client.addressOf(request), served));
}

/** Counts the request for the metrics. */
function observe(deps: GatewayDeps, { resource, request, response, startedAtMs }: Exchange): void {
  deps.observe?.(resource.path, request, response, startedAtMs);
}

export function optionsReply(allow: string): Reply {
  return { status: 204, headers: { Allow: allow }, body: "" };
}

export function methodRefusal(allow: string, requestId: string): Reply {
  const problem = problemOf("METHOD_NOT_ALLOWED", requestId);
  return { ...problem, headers: { ...problem.headers, Allow: allow } };
}
