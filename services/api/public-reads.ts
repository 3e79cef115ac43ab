import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "../../domain/refusal.ts";
import { type ProblemCode, problemOf, type Reply, sendAnswer } from "../../mixins/problem.ts";
import { rateLimitHeaders, throttledData } from "../../mixins/throttle.ts";
import type { ClientReader } from "./client.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import type { Question } from "./front-door.ts";
import { encode, encodingOf } from "./compression.ts";
import { isKnown } from "./etag.ts";
import type { GatewayCounts, KeptAnswer, KeptAnswers } from "./kept-answers.ts";
import { readInput } from "./read-input.ts";
import type { Input } from "./route.ts";
import type { Throttles } from "./throttles.ts";

export type PublicReadTools = {
  client: ClientReader;
  /** Undefined where limits are switched off. */
  throttles: Throttles | undefined;
  /** Hears of each fault once. */
  fault: (error: unknown, facts: { requestId: string; route: string }) => void;
  keptAnswers: KeptAnswers;
  gatewayCounts: GatewayCounts;
  /** Calls the route's service for whoever asks first. */
  askFor(route: CompiledRoute, input: Input, requestId: string): Promise<Answer<unknown>>;
};

/**
 * Answers a route that is the same for everybody from the bytes kept for its question. The question is the validated query and nothing else of the
 * request: who asks, with which token, is not looked at. Never rejects.
 */
export async function servePublicRead(
  tools: PublicReadTools,
  route: CompiledRoute,
  { params, queryText, requestId }: Question,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const varied = response.getHeader("Vary");
  const own = { "X-Request-ID": requestId, Vary: varied === undefined ? "Accept-Encoding" : `${String(varied)}, Accept-Encoding` };
  let limits: Record<string, string> | undefined;
  const refuse = (code: ProblemCode, data?: Parameters<typeof problemOf>[2]): void => {
    const { headers, ...problem } = problemOf(code, requestId, data);
    sendAnswer(request, response, { ...problem, headers: { ...headers, ...limits } }, own);
  };
  try {
    const read = await readInput(request, route, params, queryText);
    if (!read.ok) {
      refuse(read.code, read.broken && { errors: read.broken });
      return;
    }
    const asked = { address: tools.client.addressOf(request), userId: "", params: read.input.params, body: {} };
    const pass = route.throttle && (await tools.throttles?.enter(route.throttle, asked));
    if (pass?.verdict !== undefined) {
      limits = rateLimitHeaders(pass.verdict);
      if (!pass.verdict.allowed) {
        refuse("TOO_MANY_REQUESTS", throttledData(pass.verdict));
        return;
      }
    }
    const input: Input = { ...read.input, idempotencyKey: "", client: () => tools.client.clientOf(request) };
    const answer = await tools.keptAnswers.answer(keyOf(route, input), () => tools.askFor(route, input, requestId));
    if (!answer.ok) {
      refuse(answer.refusal.code, answer.refusal.data);
      return;
    }
    sendAnswer(request, response, await replyOf(tools, route, answer.value, limits, request), own);
  } catch (error) {
    tools.fault(error, { requestId, route: `${route.method} ${route.path}` });
    refuse("INTERNAL");
  }
}

async function replyOf(
  { gatewayCounts }: PublicReadTools,
  route: CompiledRoute,
  { body, etag, encoded }: KeptAnswer,
  limits: Record<string, string> | undefined,
  request: IncomingMessage,
): Promise<Reply> {
  const headers: Record<string, string> = { "Cache-Control": route.cache ?? "no-store", ETag: etag, ...limits };
  if (isKnown(request.headers["if-none-match"], etag)) {
    gatewayCounts.notModified += 1;
    return { status: 304, headers, body: "" };
  }
  headers["Content-Type"] = "application/json";
  const encoding = encodingOf(request.headers["accept-encoding"], body);
  if (encoding === undefined) return { status: route.status, headers, body };
  let bytes = encoded.get(encoding);
  if (bytes === undefined) encoded.set(encoding, (bytes = encode(encoding, body)));
  return { status: route.status, headers: { ...headers, "Content-Encoding": encoding }, body: await bytes };
}

/** One spelling for all requests that ask the same: values as the contract's schema reads them, in its order. */
function keyOf(route: CompiledRoute, { params, query }: Input): string {
  const names = Object.keys(route.query?.properties ?? {});
  return JSON.stringify([route.path, Object.values(params), names.map((name) => query[name] ?? null)]);
}
