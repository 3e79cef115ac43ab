import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "../../../domain/refusal.ts";
import { FifoMap } from "../../../lib/concurrency/fifo-map.ts";
import {
  type ProblemCode,
  problemOf,
  type Reply,
  replyForMany,
  sendAnswer,
} from "../../../lib/http/problem-details.ts";
import { rateLimitHeaders, throttledData } from "../../../lib/rate-limit/rate-limit.ts";
import type { ClientReader } from "../http/client-info.ts";
import type { CompiledRoute } from "../routing/compile-route.ts";
import type { MatchedRequest } from "../routing/direct-router.ts";
import { encode, encodingOf } from "../http/compression.ts";
import { isKnown } from "../http/etag.ts";
import type { GatewayCounts, CachedResponse, ResponseCache } from "./response-cache.ts";
import { type ReadInput, readInput } from "../routing/parse-request.ts";
import type { Input } from "../routing/route.ts";
import type { RateLimitTicket, Throttles } from "../http/rate-limits.ts";

export type CachedRouteDeps = {
  client: ClientReader;
  /** Undefined where limits are switched off. */
  throttles: Throttles | undefined;
  /** Hears of each fault once. */
  fault: (error: unknown, facts: { requestId: string; route: string }) => void;
  responseCache: ResponseCache;
  gatewayCounts: GatewayCounts;
  knownQuestions: FifoMap<string, Known>;
  /** Calls the route's service for whoever asks first. */
  askFor(route: CompiledRoute, input: Input, requestId: string): Promise<Answer<unknown>>;
};

/** A question as it was asked before: read, found right, and by what name its answer is kept. */
type Known = { input: Omit<Input, "idempotencyKey" | "client">; key: string };

const KNOWN_MAX = 10_000;
const KNOWN_LENGTH_MAX = 300;

/** The addresses at which the questions of a rush come, so that each is read once. */
export function createQueryCache(): FifoMap<string, Known> {
  return new FifoMap(KNOWN_MAX);
}

/**
 * Serves a route whose answer is the same for everybody from the response cache. The cache key is the validated query and nothing else of the request:
 * the caller and its token are not looked at. Never rejects.
 */
export async function serveCachedRoute(
  tools: CachedRouteDeps,
  route: CompiledRoute,
  question: MatchedRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { requestId } = question;
  const varied = response.getHeader("Vary");
  const own: Record<string, string> = {
    "X-Request-ID": requestId,
    Vary: varied === undefined ? "Accept-Encoding" : `${String(varied)}, Accept-Encoding`,
  };
  const refuse = (code: ProblemCode, data?: Parameters<typeof problemOf>[2]): void =>
    sendAnswer(request, response, problemOf(code, requestId, data), own);
  try {
    const reading = knownQuestion(tools, route, question, request);
    const read = reading instanceof Promise ? await reading : reading;
    if (!read.ok) {
      refuse(read.code, read.broken && { errors: read.broken });
      return;
    }
    const { input, key } = read.known;
    const entering = enter(tools, route, input.params, request);
    const pass = entering instanceof Promise ? await entering : entering;
    if (pass?.verdict !== undefined) {
      Object.assign(own, rateLimitHeaders(pass.verdict));
      if (!pass.verdict.allowed) {
        refuse("TOO_MANY_REQUESTS", throttledData(pass.verdict));
        return;
      }
    }
    const ask = () =>
      tools.askFor(
        route,
        { ...input, idempotencyKey: "", client: () => tools.client.clientOf(request) },
        requestId,
      );
    const asked = tools.responseCache.answer(key, ask);
    const answer = asked instanceof Promise ? await asked : asked;
    if (!answer.ok) {
      refuse(answer.refusal.code, answer.refusal.data);
      return;
    }
    const making = replyOf(tools, route, answer.value, request);
    sendAnswer(request, response, making instanceof Promise ? await making : making, own);
  } catch (error) {
    tools.fault(error, { requestId, route: `${route.method} ${route.path}` });
    refuse("INTERNAL");
  }
}

type ReadQuestion = { ok: true; known: Known } | Exclude<ReadInput, { ok: true }>;

/** Reads and validates a URL once; the same URL again is looked up. */
function knownQuestion(
  tools: CachedRouteDeps,
  route: CompiledRoute,
  { params, queryText }: MatchedRequest,
  request: IncomingMessage,
): ReadQuestion | Promise<ReadQuestion> {
  const { url = "" } = request;
  const found = tools.knownQuestions.get(url);
  if (found !== undefined) return { ok: true, known: found };
  const keep = (read: ReadInput): ReadQuestion => {
    if (!read.ok) return read;
    const known: Known = { input: read.input, key: keyOf(route, read.input) };
    if (url.length <= KNOWN_LENGTH_MAX) tools.knownQuestions.set(url, known);
    return { ok: true, known };
  };
  const read = readInput(request, route, params, queryText);
  return read instanceof Promise ? read.then(keep) : keep(read);
}

function enter(
  { throttles, client }: CachedRouteDeps,
  route: CompiledRoute,
  params: Record<string, string>,
  request: IncomingMessage,
): RateLimitTicket | undefined | Promise<RateLimitTicket | undefined> {
  if (route.throttle === undefined || throttles === undefined) return undefined;
  return throttles.consume(route.throttle, {
    address: client.addressOf(request),
    userId: "",
    params,
    body: {},
  });
}

function replyOf(
  { gatewayCounts }: CachedRouteDeps,
  route: CompiledRoute,
  { body, etag, replies }: CachedResponse,
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
  const making = encode(encoding, body).then((bytes) =>
    replyForMany(route.status, { ...headers, "Content-Encoding": encoding }, bytes),
  );
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
  return JSON.stringify([
    route.path,
    Object.values(params),
    names.map((name) => query[name] ?? null),
  ]);
}
