import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "moleculer";
import { type Answer, refused } from "../../domain/refusal.ts";
import type { MintInternalToken } from "../../mixins/internal-token.ts";
import { type ProblemCode, type Reply, problemOf, sendAnswer } from "../../mixins/problem.ts";
import type { Audit } from "../../mixins/audit.ts";
import { rateLimitHeaders, throttledData } from "../../mixins/throttle.ts";
import type { Caller } from "../../mixins/token-verifier.ts";
import { type Served, auditEntry, isAudited } from "./audited.ts";
import type { BusOf } from "./bus.ts";
import { compressed } from "./compression.ts";
import type { CompiledRoute, Resource } from "./compiled-route.ts";
import { type PublicReadTools, servePublicRead } from "./public-reads.ts";
import { answeredKey, readInput } from "./read-input.ts";
import type { Input } from "./route.ts";
import type { Asked } from "./throttles.ts";

/** A request as moleculer-web hands it to an alias. */
export type GatewayRequest = IncomingMessage & {
  originalUrl: string;
  $ctx: Context;
  $params: { params: Record<string, string> };
};

export type Tools = PublicReadTools & {
  /** A promise only where a token names a key that is not known yet. */
  verifyAccessToken: (token: string) => Answer<Caller> | Promise<Answer<Caller>>;
  mintInternalToken: MintInternalToken;
  busOf: BusOf;
  audit: Audit;
};

/** Answers one request to one resource. Never rejects. */
export async function serve(tools: Tools, resource: Resource, request: GatewayRequest, response: ServerResponse): Promise<void> {
  const requestId = request.$ctx.requestID ?? "";
  const route = resource.byMethod.get(request.method ?? "");
  if (route === undefined) {
    sendAnswer(request, response, request.method === "OPTIONS" ? optionsReply(resource.allow) : methodRefusal(resource.allow, requestId));
    return;
  }
  if (route.kept) {
    await servePublicRead(tools, route, { params: request.$params.params, queryText: queryTextOf(request), requestId }, request, response);
    return;
  }
  const key = route.idempotent ? answeredKey(request) : "";
  if (route.idempotent) response.setHeader("Idempotency-Key", key);
  const served: Served = { status: 500, outcome: "INTERNAL" };
  try {
    const reply = await replyTo(tools, route, request, requestId, key, served);
    sendAnswer(request, response, route.compressible ? await compressed(request, response, reply) : reply);
  } catch (error) {
    // Nobody is left to answer when the client went away while it was sending.
    if (request.destroyed && !request.complete) return;
    tools.fault(error, { requestId, route: `${route.method} ${route.path}` });
    sendAnswer(request, response, problemOf("INTERNAL", requestId));
  }
  if (isAudited(route, served)) tools.audit(auditEntry(route, request, requestId, tools.client.addressOf(request), served));
}

/** Who asks, then what is asked, then the service: a stranger's body is not read. Notes in `served` what the audit trail is to know. */
async function replyTo(
  tools: Tools,
  route: CompiledRoute,
  request: GatewayRequest,
  requestId: string,
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

  const read = await readInput(request, route, request.$params.params, queryTextOf(request));
  if (!read.ok) return refusal(read.code, read.broken && { errors: read.broken });
  served.input = read.input;

  const entering = route.throttle && tools.throttles?.enter(route.throttle, askedBy(tools, request, served));
  const pass = entering instanceof Promise ? await entering : entering;
  if (pass?.verdict !== undefined) {
    limits = rateLimitHeaders(pass.verdict);
    if (!pass.verdict.allowed) return refusal("TOO_MANY_REQUESTS", throttledData(pass.verdict));
  }

  const input: Input = { ...read.input, idempotencyKey: key, client: () => tools.client.clientOf(request) };
  const answer = await route.call(input, tools.busOf(request.$ctx, token));
  await pass?.settle?.(answer);
  if (!answer.ok) return refusal(answer.refusal.code, answer.refusal.data);
  served.status = route.status;
  served.outcome = "ok";
  served.value = answer.value;

  const { headers, body } = route.success?.(answer.value, input) ?? { headers: undefined, body: answer.value };
  const cache = { "Cache-Control": route.cache ?? "no-store", ...limits };
  if (route.status === 204) return { status: 204, headers: { ...cache, ...headers }, body: "" };
  return { status: route.status, headers: { "Content-Type": "application/json", ...cache, ...headers }, body: JSON.stringify(body) };
}

function queryTextOf({ originalUrl }: GatewayRequest): string {
  const question = originalUrl.indexOf("?");
  return question === -1 ? "" : originalUrl.slice(question + 1);
}

function askedBy({ client }: Tools, request: GatewayRequest, { caller, input }: Served): Asked {
  return { address: client.addressOf(request), userId: caller?.userId ?? "", params: input?.params ?? {}, body: input?.body ?? {} };
}

/** Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED, TRY_AGAIN. */
function callerOf({ verifyAccessToken }: Tools, authorization: string | undefined): Answer<Caller> | Promise<Answer<Caller>> {
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
