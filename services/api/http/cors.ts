import type { IncomingMessage, ServerResponse } from "node:http";

/** What a page of another origin may send and read, besides what every page may. */
const REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Request-ID";
const RESPONSE_HEADERS =
  "Idempotency-Key, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID";
const METHODS = "GET, HEAD, POST, DELETE";
const PREFLIGHT_KEPT_S = 600;

/**
 * Tells browsers whether a page of the request's origin may read the answer: the listed origins, compared whole. Any other, `null` and none
 * get nothing. The answer itself is the same for everyone, so a preflight is answered as any OPTIONS.
 */
export function createCors(
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
    if (
      request.method !== "OPTIONS" ||
      request.headers["access-control-request-method"] === undefined
    )
      return;
    response.setHeader("Access-Control-Allow-Methods", METHODS);
    response.setHeader("Access-Control-Allow-Headers", REQUEST_HEADERS);
    response.setHeader("Access-Control-Max-Age", PREFLIGHT_KEPT_S);
  };
}
