import type { Tracing } from "../../../lib/observability/tracing.ts";
import type { serve } from "./handle-request.ts";

/**
 * The same, with a span for each request that is traced: below the span that the client's `traceparent` names, if it sends one. Streams are left out: one
 * lasts for hours, and what the first of them starts works for all.
 */
export function tracedRequests(serving: typeof serve, tracing: Tracing | undefined): typeof serve {
  if (tracing === undefined) return serving;
  return (tools, resource, asked, request, response) => {
    const route = resource.byMethod.get(request.method ?? "");
    const answer = (): void => serving(tools, resource, asked, request, response);
    if (route === undefined || route.stream || !tracing.sampled()) {
      answer();
      return;
    }
    const { traceparent } = request.headers;
    const span = tracing.begin(`${route.method} ${route.path}`, "SERVER", {
      parent: typeof traceparent === "string" ? traceparent : undefined,
      attributes: {
        "http.request.method": route.method,
        "http.route": route.path,
        "boxoffice.request_id": asked.requestId,
      },
    });
    // Sent, or given up by whoever asked.
    response.once("close", () => {
      const { statusCode } = response;
      span.setAttribute("http.response.status_code", statusCode);
      tracing.end(span, statusCode >= 500 ? { type: String(statusCode) } : undefined);
    });
    tracing.run(span, answer);
  };
}
