import type { IncomingMessage, ServerResponse } from "node:http";
import type { Span } from "@opentelemetry/api";
import type { Tracing } from "../../../lib/observability/tracing.ts";
import type { CompiledRoute } from "../routing/compile-route.ts";

/**
 * Begins the span of a sampled request, below the span that the client's `traceparent` names. It
 * ends with the response. Streams have no span: one lasts for hours and shares its work.
 */
export function beginSpan(
  tracing: Tracing,
  route: CompiledRoute | undefined,
  requestId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Span | undefined {
  if (route === undefined || route.stream || !tracing.sampled()) return undefined;
  const { traceparent } = request.headers;
  const span = tracing.begin(`${route.method} ${route.path}`, "SERVER", {
    parent: typeof traceparent === "string" ? traceparent : undefined,
    attributes: {
      "http.request.method": route.method,
      "http.route": route.path,
      "boxoffice.request_id": requestId,
    },
  });
  response.once("close", () => {
    const { statusCode } = response;
    span.setAttribute("http.response.status_code", statusCode);
    tracing.end(span, statusCode >= 500 ? { type: String(statusCode) } : undefined);
  });
  return span;
}
