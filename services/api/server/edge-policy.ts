import type { IncomingMessage, ServerResponse } from "node:http";
import { problemOf, sendAnswer } from "../../../lib/http/problem-details.ts";
import type { Audit } from "../../../lib/observability/audit-log.ts";
import { rateLimitHeaders, throttledData } from "../../../lib/rate-limit/rate-limit.ts";
import type { ClientReader } from "../http/client-info.ts";
import { createCors } from "../http/cors.ts";
import { requestIdOf } from "../http/client-info.ts";
import { HSTS_YEAR } from "./http-server.ts";
import type { Throttles } from "../http/rate-limits.ts";

/** Runs before a request is routed; true where it has been answered. */
export type EdgePolicy = (request: IncomingMessage, response: ServerResponse) => boolean;

type EdgeOptions = {
  client: ClientReader;
  corsOrigins: readonly string[];
  /** Undefined where limits are switched off. */
  throttles: Throttles | undefined;
  audit: Audit;
};

/**
 * What holds for every request, page or API, known path or not: HTTPS is remembered where it was used, plain HTTP from afar is refused (never redirected:
 * what came with it has been read on the way), other origins read only what CORS_ORIGINS lets them, and an address has its ceiling.
 */
export function createEdgePolicy({
  client,
  corsOrigins,
  throttles,
  audit,
}: EdgeOptions): EdgePolicy {
  const cors = createCors(corsOrigins);
  return (request, response) => {
    const transport = client.transportOf(request);
    if (transport === "secure") response.setHeader("Strict-Transport-Security", HSTS_YEAR);
    cors(request, response);
    if (transport === "exposed") {
      const requestId = requestIdOf(request);
      const detail = "Plain HTTP is answered on loopback and to trusted proxies only";
      sendEarly(request, response, requestId, problemOf("FORBIDDEN", requestId, { detail }));
      audit({
        what: "access",
        outcome: "FORBIDDEN",
        status: 403,
        route: "plain HTTP",
        requestId,
        address: client.addressOf(request),
      });
      return true;
    }
    const verdict = throttles?.everything(client.addressOf(request));
    if (verdict === undefined || verdict.allowed) return false;
    const requestId = requestIdOf(request);
    const problem = problemOf("TOO_MANY_REQUESTS", requestId, throttledData(verdict));
    sendEarly(request, response, requestId, {
      ...problem,
      headers: { ...problem.headers, ...rateLimitHeaders(verdict) },
    });
    return true;
  };
}

function sendEarly(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  reply: Parameters<typeof sendAnswer>[2],
): void {
  response.setHeader("X-Request-ID", requestId);
  sendAnswer(request, response, reply);
}
