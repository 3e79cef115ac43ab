import type { IncomingMessage, ServerResponse } from "node:http";
import { problemOf, sendAnswer } from "../../../lib/http/problem-details.ts";
import type { Audit } from "../../../lib/observability/audit-log.ts";
import { rateLimitHeaders, throttledData } from "../../../lib/rate-limit/local-rate-limiter.ts";
import { type ClientReader, requestIdOf } from "../http/client-info.ts";
import type { Throttles } from "../http/rate-limits.ts";
import { HSTS_YEAR } from "./raw-answer.ts";

/** Headers that a page of another origin may send and read, besides the safelisted ones. */
const REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Request-ID";
const RESPONSE_HEADERS =
  "Idempotency-Key, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID";
const METHODS = "GET, HEAD, POST, DELETE";
const PREFLIGHT_MAX_AGE_S = 600;

/**
 * Calls `next` for a request that it admits, with headers of every answer. They are not set on the
 * response: Node would then check and write each header of the answer one by one.
 */
export type EdgePolicy = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (headers: Readonly<Record<string, string>>) => void,
) => void;

const SECURE_HEADERS = { "Strict-Transport-Security": HSTS_YEAR };
const NO_HEADERS = {};

type EdgeOptions = {
  client: ClientReader;
  corsOrigins: readonly string[];
  /** Undefined if rate limits are disabled. */
  throttles: Throttles | undefined;
  audit: Audit;
  /** Counts a request that ends here. */
  observe: (request: IncomingMessage, response: ServerResponse) => void;
};

/**
 * Checks every request before routing, page or API, known path or not: adds HSTS and CORS headers,
 * refuses plain HTTP from other machines, and applies the rate limit of the address. Plain HTTP is
 * never redirected: its content was already sent in the clear.
 */
export function createEdgePolicy(options: EdgeOptions): EdgePolicy {
  const { client, throttles, audit, observe } = options;
  const setCorsHeaders = createCors(options.corsOrigins);
  const refuse = (
    request: IncomingMessage,
    response: ServerResponse,
    own: Record<string, string>,
    reply: Parameters<typeof sendAnswer>[2],
  ): void => {
    sendAnswer(request, response, reply, own);
    observe(request, response);
  };
  return (request, response, next) => {
    const transport = client.transportOf(request);
    const headers = transport === "secure" ? SECURE_HEADERS : NO_HEADERS;
    setCorsHeaders(request, response);
    if (transport === "exposed") {
      const requestId = requestIdOf(request);
      const detail = "Plain HTTP is accepted from loopback and trusted proxies only";
      const own = { ...headers, "X-Request-ID": requestId };
      refuse(request, response, own, problemOf("FORBIDDEN", requestId, { detail }));
      audit({
        what: "access",
        outcome: "FORBIDDEN",
        status: 403,
        route: "plain HTTP",
        requestId,
        address: client.addressOf(request),
      });
      return;
    }
    const verdict = throttles?.everything(client.addressOf(request));
    if (verdict === undefined || verdict.allowed) {
      next(headers);
      return;
    }
    const requestId = requestIdOf(request);
    const problem = problemOf("TOO_MANY_REQUESTS", requestId, throttledData(verdict));
    const own = { ...headers, "X-Request-ID": requestId, ...rateLimitHeaders(verdict) };
    refuse(request, response, own, problem);
  };
}

/**
 * Lets pages of the listed origins read responses. Origins are compared whole; moleculer-web's own
 * CORS compares parts of them. A preflight gets the answer of any OPTIONS request.
 */
function createCors(
  origins: readonly string[],
): (request: IncomingMessage, response: ServerResponse) => void {
  if (origins.length === 0) return () => undefined;
  const listed = new Set(origins);
  return (request, response) => {
    response.setHeader("Vary", "Origin");
    const { origin } = request.headers;
    if (origin === undefined || !listed.has(origin)) return;
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Expose-Headers", RESPONSE_HEADERS);
    const asksMethod = request.headers["access-control-request-method"] !== undefined;
    if (request.method !== "OPTIONS" || !asksMethod) return;
    response.setHeader("Access-Control-Allow-Methods", METHODS);
    response.setHeader("Access-Control-Allow-Headers", REQUEST_HEADERS);
    response.setHeader("Access-Control-Max-Age", PREFLIGHT_MAX_AGE_S);
  };
}
