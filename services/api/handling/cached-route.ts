import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "../../../domain/refusal.ts";
import { BoundedMap } from "../../../lib/concurrency/fifo-map.ts";
import { type ProblemCode, problemOf, type Reply, replyForMany, sendAnswer } from "../../../lib/http/problem-details.ts";
import { rateLimitHeaders, throttledData } from "../../../lib/rate-limit/rate-limit.ts";
import { afterwards } from "../http/then-sync.ts";
import type { ClientReader } from "../http/client-info.ts";
import type { CompiledRoute } from "../routing/compile-route.ts";
import type { Question } from "../routing/direct-router.ts";
import { encode, encodingOf } from "../http/compression.ts";
import { isKnown } from "../http/etag.ts";
import type { GatewayCounts, KeptAnswer, KeptAnswers } from "./response-cache.ts";
import { readInput } from "../routing/parse-request.ts";
import type { Input } from "../routing/route.ts";
import type { Pass, Throttles } from "../http/rate-limits.ts";

export type PublicReadTools = {
  client: ClientReader;
  /** Undefined where limits are switched off. */
  throttles: Throttles | undefined;
  /** Hears of each fault once. */
  fault: (error: unknown, facts: { requestId: string; route: string }) => void;
  keptAnswers: KeptAnswers;
  gatewayCounts: GatewayCounts;
  knownQuestions: BoundedMap<string, Known>;
  /** Calls the route's service for whoever asks first. */
  askFor(route: CompiledRoute, input: Input, requestId: string): Promise<Answer<unknown>>;
};

/** A question as it was asked before: read, found right, and by what name its answer is kept. */
type Known = { input: Omit<Input, "idempotencyKey" | "client">; key: string };

const KNOWN_MAX = 10_000;
const KNOWN_LENGTH_MAX = 300;

/** The addresses at which the questions of a rush come, so that each is read once. */
export function createKnownQuestions(): BoundedMap<string, Known> {
  return new BoundedMap(KNOWN_MAX);
}

/**
 * Answers a route that is the same for everybody from the bytes kept for its question. The question is the validated query and nothing else of the
 * request: who asks, with which token, is not looked at. At once where bytes are at hand; the promise, if there is one, never rejects.
 */
export function servePublicRead(
  tools: PublicReadTools,
  route: CompiledRoute,
  { params, queryText, requestId }: Question,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> | void {
  const varied = response.getHeader("Vary");
  const own = { "X-Request-ID": requestId, Vary: varied === undefined ? "Accept-Encoding" : `${String(varied)}, Accept-Encoding` };
  let limits: Record<string, string> | undefined;
  const refuse = (code: ProblemCode, data?: Parameters<typeof problemOf>[2]): void => {
    const { headers, ...problem } = problemOf(code, requestId, data);
    sendAnswer(request, response, { ...problem, headers: { ...headers, ...limits } }, own);
  };
  const failed = (error: unknown): void => {
    tools.fault(error, { requestId, route: `${route.method} ${route.path}` });
    refuse("INTERNAL");
  };

  const answerTo = ({ input, key }: Known, pass: Pass | undefined): Promise<void> | void => {
    if (pass?.verdict !== undefined) {
      limits = rateLimitHeaders(pass.verdict);
      if (!pass.verdict.allowed) {
        refuse("TOO_MANY_REQUESTS", throttledData(pass.verdict));
        return;
      }
    }
    const ask = () => tools.askFor(route, { ...input, idempotencyKey: "", client: () => tools.client.clientOf(request) }, requestId);
    return afterwards(tools.keptAnswers.answer(key, ask), (answer) => {
      if (!answer.ok) {
        refuse(answer.refusal.code, answer.refusal.data);
        return;
      }
      return afterwards(replyOf(tools, route, answer.value, request), (reply) =>
        sendAnswer(request, response, reply, limits === undefined ? own : { ...own, ...limits }),
      );
    });
  };
  const enter = (known: Known): Promise<void> | void => {
    if (route.throttle === undefined || tools.throttles === undefined) return answerTo(known, undefined);
    const asked = { address: tools.client.addressOf(request), userId: "", params: known.input.params, body: {} };
    return afterwards(tools.throttles.enter(route.throttle, asked), (pass) => answerTo(known, pass));
  };

  try {
    const { url = "" } = request;
    const known = tools.knownQuestions.get(url);
    if (known !== undefined) return enter(known)?.catch(failed);
    return afterwards(readInput(request, route, params, queryText), (read) => {
      if (!read.ok) {
        refuse(read.code, read.broken && { errors: read.broken });
        return;
      }
      const now: Known = { input: read.input, key: keyOf(route, read.input) };
      if (url.length <= KNOWN_LENGTH_MAX) tools.knownQuestions.set(url, now);
      return enter(now);
    })?.catch(failed);
  } catch (error) {
    failed(error);
  }
}

function replyOf(
  { gatewayCounts }: PublicReadTools,
  route: CompiledRoute,
  { body, etag, replies }: KeptAnswer,
  request: IncomingMessage,
): Reply | Promise<Reply> {
  const cache = { "Cache-Control": route.cache ?? "no-store", ETag: etag };
  if (isKnown(request.headers["if-none-match"], etag)) {
    gatewayCounts.notModified += 1;
    return { status: 304, headers: cache, body: "" };
  }
  const encoding = encodingOf(request.headers["accept-encoding"], body) ?? "identity";
  const there = replies.get(encoding);
  if (there !== undefined) return there;
  const headers = { ...cache, "Content-Type": "application/json" };
  if (encoding === "identity") {
    const reply = replyForMany(route.status, headers, body);
    replies.set(encoding, reply);
    return reply;
  }
  const making = encode(encoding, body).then((bytes) => replyForMany(route.status, { ...headers, "Content-Encoding": encoding }, bytes));
  replies.set(encoding, making);
  void making.then(
    (reply) => replies.set(encoding, reply),
    () => replies.delete(encoding),
  );
  return making;
}

/** One spelling for all requests that ask the same: values as the contract's schema reads them, in its order. */
function keyOf(route: CompiledRoute, { params, query }: Pick<Input, "params" | "query">): string {
  const names = Object.keys(route.query?.properties ?? {});
  return JSON.stringify([route.path, Object.values(params), names.map((name) => query[name] ?? null)]);
}
