import type { IncomingMessage } from "node:http";
import { LRUCache } from "lru-cache";
import type { Answer } from "../../../domain/refusal.ts";
import { type ProblemCode, problemOf, sendAnswer } from "../../../lib/http/problem-details.ts";
import { rateLimitHeaders, throttledData } from "../../../lib/rate-limit/local-rate-limiter.ts";
import type { ClientReader } from "../http/client-info.ts";
import type { RateLimitTicket, Throttles } from "../http/rate-limits.ts";
import type { CompiledRoute } from "../routing/compile-route.ts";
import { type ReadInput, readInput } from "../routing/parse-request.ts";
import type { Input, MatchedRequest } from "../routing/route.ts";
import { replyOf } from "./cached-reply.ts";
import type { GatewayCounts, ResponseCache } from "./response-cache.ts";

export type CachedRouteDeps = {
  client: ClientReader;
  /** Undefined if rate limits are disabled. */
  throttles: Throttles | undefined;
  /** Logs a fault; called once for each. */
  fault: (error: unknown, facts: { requestId: string | undefined; route: string }) => void;
  responseCache: ResponseCache;
  gatewayCounts: GatewayCounts;
  queryCache: LRUCache<string, ParsedQuery>;
  /** Calls the route's service to fill the cache. */
  fetchValue(route: CompiledRoute, input: Input, requestId: string): Promise<Answer<unknown>>;
};

/** A URL that was read and validated, with the cache key of its response. */
type ParsedQuery = { input: Omit<Input, "idempotencyKey" | "client">; key: string };

const QUERIES_MAX = 10_000;
const URL_LENGTH_MAX = 300;

/** Maps URLs to their validated queries, so that a popular URL is validated once. */
export function createQueryCache(): LRUCache<string, ParsedQuery> {
  return new LRUCache({ max: QUERIES_MAX });
}

/**
 * Serves a route with one answer for all callers from the response cache. The cache key is the
 * validated query and nothing else of the request, so no token or header changes the answer.
 */
export async function serveCachedRoute(
  deps: CachedRouteDeps,
  route: CompiledRoute,
  exchange: MatchedRequest,
): Promise<void> {
  const { request, response, requestId, headers } = exchange;
  const vary = response.getHeader("Vary");
  headers.Vary = vary === undefined ? "Accept-Encoding" : `${String(vary)}, Accept-Encoding`;
  const refuse = (code: ProblemCode, data?: Parameters<typeof problemOf>[2]): void =>
    sendAnswer(request, response, problemOf(code, requestId, data), headers);

  const reading = parseQuery(deps, route, exchange);
  const read = reading instanceof Promise ? await reading : reading;
  if (!read.ok) {
    refuse(read.code, read.broken && { errors: read.broken });
    return;
  }
  const { input, key } = read.query;

  const consuming = consumeLimit(deps, route, input.params, request);
  const ticket = consuming instanceof Promise ? await consuming : consuming;
  if (ticket?.verdict !== undefined) {
    Object.assign(headers, rateLimitHeaders(ticket.verdict));
    if (!ticket.verdict.allowed) {
      refuse("TOO_MANY_REQUESTS", throttledData(ticket.verdict));
      return;
    }
  }

  const fetchValue = (): Promise<Answer<unknown>> => {
    const client = () => deps.client.clientOf(request);
    return deps.fetchValue(route, { ...input, idempotencyKey: "", client }, requestId);
  };
  const finding = deps.responseCache.answer(key, fetchValue);
  const answer = finding instanceof Promise ? await finding : finding;
  if (!answer.ok) {
    refuse(answer.refusal.code, answer.refusal.data);
    return;
  }
  const replying = replyOf(deps.gatewayCounts, answer.value, request, {
    status: route.status,
    caching: route.cache ?? "no-store",
    headers: { "Content-Type": "application/json" },
  });
  sendAnswer(request, response, replying instanceof Promise ? await replying : replying, headers);
}

type ReadQuery = { ok: true; query: ParsedQuery } | Exclude<ReadInput, { ok: true }>;

function parseQuery(
  deps: CachedRouteDeps,
  route: CompiledRoute,
  { request, params, queryText }: MatchedRequest,
): ReadQuery | Promise<ReadQuery> {
  const { url = "" } = request;
  const known = deps.queryCache.get(url);
  if (known !== undefined) return { ok: true, query: known };
  const remember = (read: ReadInput): ReadQuery => {
    if (!read.ok) return read;
    const query: ParsedQuery = { input: read.input, key: cacheKey(route, read.input) };
    if (url.length <= URL_LENGTH_MAX) deps.queryCache.set(url, query);
    return { ok: true, query };
  };
  const read = readInput(request, route, params, queryText);
  return read instanceof Promise ? read.then(remember) : remember(read);
}

function consumeLimit(
  { throttles, client }: CachedRouteDeps,
  route: CompiledRoute,
  params: Record<string, string>,
  request: IncomingMessage,
): RateLimitTicket | undefined | Promise<RateLimitTicket | undefined> {
  if (route.throttle === undefined || throttles === undefined) return undefined;
  const address = client.addressOf(request);
  return throttles.consume(route.throttle, { address, userId: "", params, body: {} });
}

/** One key for all spellings of a query: values as the schema reads them, in its order. */
function cacheKey(route: CompiledRoute, { params, query }: Pick<Input, "params" | "query">) {
  const names = Object.keys(route.query?.properties ?? {});
  const values = names.map((name) => query[name] ?? null);
  return JSON.stringify([route.path, Object.values(params), values]);
}
