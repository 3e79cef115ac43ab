import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "moleculer";
import { type Answer, refused } from "../../domain/refusal.ts";
import type { MintInternalToken } from "../../mixins/internal-token.ts";
import { type ProblemCode, type Reply, problemOf, sendAnswer } from "../../mixins/problem.ts";
import type { Audit } from "../../mixins/audit.ts";
import type { Caller } from "../../mixins/token-verifier.ts";
import { type Served, auditEntry, isAudited } from "./audited.ts";
import { busOf } from "./bus.ts";
import type { CompiledRoute, Resource } from "./compiled-route.ts";
import { answeredKey, readInput } from "./read-input.ts";

/** A request as moleculer-web hands it to an alias. */
export type GatewayRequest = IncomingMessage & {
  originalUrl: string;
  $ctx: Context;
  $params: { params: Record<string, string> };
};

export type Tools = {
  verifyAccessToken: (token: string) => Answer<Caller>;
  mintInternalToken: MintInternalToken;
  /** Hears of each fault once. */
  fault: (error: unknown, facts: { requestId: string; route: string }) => void;
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
  const key = route.idempotent ? answeredKey(request) : "";
  if (route.idempotent) response.setHeader("Idempotency-Key", key);
  const served: Served = { status: 500, outcome: "INTERNAL" };
  try {
    sendAnswer(request, response, await replyTo(tools, route, request, requestId, key, served));
  } catch (error) {
    // Nobody is left to answer when the client went away while it was sending.
    if (request.destroyed && !request.complete) return;
    tools.fault(error, { requestId, route: `${route.method} ${route.path}` });
    sendAnswer(request, response, problemOf("INTERNAL", requestId));
  }
  if (isAudited(route, served)) tools.audit(auditEntry(route, request, requestId, addressOf(request), served));
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
    return reply;
  };
  let token: string | undefined;
  if (route.auth !== "public") {
    const caller = callerOf(tools, request.headers.authorization);
    if (!caller.ok) return refusal(caller.refusal.code);
    served.caller = caller.value;
    if (route.auth === "operator" && caller.value.role !== "operator") return refusal("FORBIDDEN");
    token = tools.mintInternalToken(caller.value);
  }

  const question = request.originalUrl.indexOf("?");
  const queryText = question === -1 ? "" : request.originalUrl.slice(question + 1);
  const read = await readInput(request, route, request.$params.params, queryText);
  if (!read.ok) return refusal(read.code, read.broken && { errors: read.broken });
  served.input = read.input;

  const answer = await route.call({ ...read.input, idempotencyKey: key }, busOf(request.$ctx, token));
  if (!answer.ok) return refusal(answer.refusal.code, answer.refusal.data);
  served.status = route.status;
  served.outcome = "ok";
  served.value = answer.value;

  const { headers, body } = route.success?.(answer.value) ?? { headers: undefined, body: answer.value };
  return {
    status: route.status,
    headers: { "Content-Type": "application/json", "Cache-Control": route.cache ?? "no-store", ...headers },
    body: JSON.stringify(body),
  };
}

function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? "";
}

/** Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED. */
function callerOf({ verifyAccessToken }: Tools, authorization: string | undefined): Answer<Caller> {
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
