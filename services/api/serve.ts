import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "moleculer";
import { type Answer, refused } from "../../domain/refusal.ts";
import type { MintInternalToken } from "../../mixins/internal-token.ts";
import { type Reply, problemOf, sendAnswer } from "../../mixins/problem.ts";
import type { Caller } from "../../mixins/token-verifier.ts";
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
  try {
    sendAnswer(request, response, await replyTo(tools, route, request, requestId, key));
  } catch (error) {
    // Nobody is left to answer when the client went away while it was sending.
    if (request.destroyed && !request.complete) return;
    tools.fault(error, { requestId, route: `${route.method} ${route.path}` });
    sendAnswer(request, response, problemOf("INTERNAL", requestId));
  }
}

/** Who asks, then what is asked, then the service: a stranger's body is not read. */
async function replyTo(tools: Tools, route: CompiledRoute, request: GatewayRequest, requestId: string, key: string): Promise<Reply> {
  let token: string | undefined;
  if (route.auth !== "public") {
    const caller = callerOf(tools, request.headers.authorization);
    if (!caller.ok) return problemOf(caller.refusal.code, requestId);
    if (route.auth === "operator" && caller.value.role !== "operator") return problemOf("FORBIDDEN", requestId);
    token = tools.mintInternalToken(caller.value);
  }

  const question = request.originalUrl.indexOf("?");
  const queryText = question === -1 ? "" : request.originalUrl.slice(question + 1);
  const read = await readInput(request, route, request.$params.params, queryText);
  if (!read.ok) return problemOf(read.code, requestId, read.broken && { errors: read.broken });

  const answer = await route.call({ ...read.input, idempotencyKey: key }, busOf(request.$ctx, token));
  if (!answer.ok) return problemOf(answer.refusal.code, requestId, answer.refusal.data);

  const { headers, body } = route.success?.(answer.value) ?? { headers: undefined, body: answer.value };
  return {
    status: route.status,
    headers: { "Content-Type": "application/json", "Cache-Control": route.cache ?? "no-store", ...headers },
    body: JSON.stringify(body),
  };
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
