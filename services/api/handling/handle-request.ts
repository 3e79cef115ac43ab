import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "moleculer";
import { type Answer, refused } from "../../../domain/refusal.ts";
import type { MintInternalToken } from "../../../lib/auth/internal-token.ts";
import {
  type ProblemCode,
  type Reply,
  problemOf,
  sendAnswer,
} from "../../../lib/http/problem-details.ts";
import type { Audit } from "../../../lib/observability/audit-log.ts";
import { rateLimitHeaders, throttledData } from "../../../lib/rate-limit/rate-limit.ts";
import type { Caller } from "../../../lib/auth/jwt-verifier.ts";
import { type Served, auditEntry, isAudited } from "./audit-entry.ts";
import type { BusOf } from "../bus/service-client.ts";
import type { HttpMetrics } from "./http-metrics.ts";
import { compressed } from "../http/compression.ts";
import type { CompiledRoute, Resource } from "../routing/compile-route.ts";
import type { MatchedRequest } from "../routing/direct-router.ts";
import type { EventStreams } from "../live/sse-endpoint.ts";
import { type CachedRouteDeps, serveCachedRoute } from "./cached-route.ts";
import { answeredKey, readInput } from "../routing/parse-request.ts";
import type { Input } from "../routing/route.ts";
import type { RateLimitSubject as Throttled } from "../http/rate-limits.ts";

/** One request to one resource, whoever found it: the front door or moleculer-web. */
export type RequestContext = MatchedRequest & {
  /** When it came, on the clock of `loopNowMs`. */
  beganMs: number;
  /** Calls the services in the request's name. */
  context: Pick<Context, "call">;
};

export type GatewayDeps = CachedRouteDeps & {
  /** A promise only where a token names a key that is not known yet. */
  verifyAccessToken: (token: string) => Answer<Caller> | Promise<Answer<Caller>>;
  mintInternalToken: MintInternalToken;
  busOf: BusOf;
  audit: Audit;
  /** Undefined where nobody looks. */
  watch: HttpMetrics | undefined;
  streams: EventStreams;
};

/** Answers one request to one resource, and tells whoever watches. Never rejects. */
export function serve(
  tools: GatewayDeps,
  resource: Resource,
  asked: RequestContext,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { watch } = tools;
  const tell = (): void => watch?.(resource.path, request, response, asked.beganMs);
  const served = answer(tools, resource, asked, request, response);
  if (served === undefined) tell();
  else void served.then(tell);
}

/** Undefined where it is answered at once; the promise never rejects. */
function answer(
  tools: GatewayDeps,
  resource: Resource,
  asked: RequestContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> | void {
  const route = resource.byMethod.get(request.method ?? "");
  if (route === undefined) {
    const reply =
      request.method === "OPTIONS"
        ? optionsReply(resource.allow)
        : methodRefusal(resource.allow, asked.requestId);
    sendAnswer(request, response, reply, { "X-Request-ID": asked.requestId });
    return;
  }
  if (route.stream)
    return tools.streams.serve(
      route,
      asked,
      tools.busOf(asked.context, undefined),
      request,
      response,
    );
  if (route.cached) return serveCachedRoute(tools, route, asked, request, response);
  return serveOne(tools, route, asked, request, response);
}

/** A request whose answer is for whoever asked. */
async function serveOne(
  tools: GatewayDeps,
  route: CompiledRoute,
  asked: RequestContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { requestId } = asked;
  const key = route.idempotent ? answeredKey(request) : "";
  const own = route.idempotent
    ? { "X-Request-ID": requestId, "Idempotency-Key": key }
    : { "X-Request-ID": requestId };
  const served: Served = { status: 500, outcome: "INTERNAL" };
  try {
    const reply = await replyTo(tools, route, asked, request, key, served);
    sendAnswer(
      request,
      response,
      route.compressible ? await compressed(request, response, reply) : reply,
      own,
    );
  } catch (error) {
    // Nobody is left to answer when the client went away while it was sending.
    if (request.destroyed && !request.complete) return;
    tools.fault(error, { requestId, route: `${route.method} ${route.path}` });
    sendAnswer(request, response, problemOf("INTERNAL", requestId), own);
  }
  if (isAudited(route, served))
    tools.audit(auditEntry(route, request, requestId, tools.client.addressOf(request), served));
}

/** Who asks, then what is asked, then the service: a stranger's body is not read. Notes in `served` what the audit trail is to know. */
async function replyTo(
  tools: GatewayDeps,
  route: CompiledRoute,
  { params, queryText, requestId, context }: RequestContext,
  request: IncomingMessage,
  key: string,
  served: Served,
): Promise<Reply> {
  const refusal = (code: ProblemCode, data?: Parameters<typeof problemOf>[2]): Reply => {
    const reply = problemOf(code, requestId, data);
    served.status = reply.status;
    served.outcome = code;
    Object.assign(reply.headers, limits);
    return reply;
  };
  let limits: Record<string, string> | undefined;
  let token: string | undefined;
  if (route.auth !== "public") {
    const verified = callerOf(tools, request.headers.authorization);
    const caller = verified instanceof Promise ? await verified : verified;
    if (!caller.ok) return refusal(caller.refusal.code);
    served.caller = caller.value;
    if (route.auth === "operator" && caller.value.role !== "operator") return refusal("FORBIDDEN");
    token = tools.mintInternalToken(caller.value);
  }

  const reading = readInput(request, route, params, queryText);
  const read = reading instanceof Promise ? await reading : reading;
  if (!read.ok) return refusal(read.code, read.broken && { errors: read.broken });
  served.input = read.input;

  const entering =
    route.throttle && tools.throttles?.consume(route.throttle, throttledBy(tools, request, served));
  const pass = entering instanceof Promise ? await entering : entering;
  if (pass?.verdict !== undefined) {
    limits = rateLimitHeaders(pass.verdict);
    if (!pass.verdict.allowed) return refusal("TOO_MANY_REQUESTS", throttledData(pass.verdict));
  }

  const input: Input = {
    ...read.input,
    idempotencyKey: key,
    client: () => tools.client.clientOf(request),
  };
  const answer = await route.call(input, tools.busOf(context, token));
  await pass?.refundOrCharge?.(answer);
  if (!answer.ok) return refusal(answer.refusal.code, answer.refusal.data);
  served.status = route.status;
  served.outcome = "ok";
  served.value = answer.value;

  const { headers, body, text } = route.success?.(answer.value, input) ?? {
    headers: undefined,
    body: answer.value,
  };
  const cache = { "Cache-Control": route.cache ?? "no-store", ...limits };
  if (route.status === 204) return { status: 204, headers: { ...cache, ...headers }, body: "" };
  return {
    status: route.status,
    headers: { "Content-Type": "application/json", ...cache, ...headers },
    body: text ?? JSON.stringify(body),
  };
}

function throttledBy(
  { client }: GatewayDeps,
  request: IncomingMessage,
  { caller, input }: Served,
): Throttled {
  return {
    address: client.addressOf(request),
    userId: caller?.userId ?? "",
    params: input?.params ?? {},
    body: input?.body ?? {},
  };
}

/** Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED, TRY_AGAIN. */
function callerOf(
  { verifyAccessToken }: GatewayDeps,
  authorization: string | undefined,
): Answer<Caller> | Promise<Answer<Caller>> {
  if (authorization?.slice(0, 7).toLowerCase() !== "bearer ") return refused("UNAUTHENTICATED");
  return verifyAccessToken(authorization.slice(7));
}

export function optionsReply(allow: string): Reply {
  return { status: 204, headers: { Allow: allow }, body: "" };
}

export function methodRefusal(allow: string, requestId: string): Reply {
  const problem = problemOf("METHOD_NOT_ALLOWED", requestId);
  return { ...problem, headers: { ...problem.headers, Allow: allow } };
}
