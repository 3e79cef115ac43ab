import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type Cell,
  type Histogram,
  type Metrics,
  SECONDS,
} from "../../../lib/observability/metrics.ts";
import { loopNowMs } from "../../../lib/concurrency/clock.ts";
import type { GatewayCounts } from "./response-cache.ts";
import { registerServiceLevels } from "./service-levels.ts";

/** Counts an answered request. `route` is a path of the contract or a fixed text, never a URL. */
export type HttpMetrics = (
  route: string,
  request: IncomingMessage,
  response: ServerResponse,
  startedAtMs: number,
) => void;

/** Node's parser accepts three dozen methods; these have labels of their own. */
const METHODS = new Set(["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]);

export function registerHttpMetrics(metrics: Metrics, kept: GatewayCounts): HttpMetrics {
  const requests = metrics.counters("boxoffice_http_requests_total", "Requests answered.", [
    "route",
    "method",
    "status",
  ]);
  const durations = metrics.histograms(
    "boxoffice_http_request_duration_seconds",
    "From a request's head to its answer.",
    SECONDS,
    "route",
  );
  metrics.read(
    "boxoffice_gateway_answers_total",
    "Public reads by the layer that answered.",
    "counter",
    () => [
      { labels: { layer: "kept" }, value: kept.hits },
      { labels: { layer: "catalog" }, value: kept.misses },
      { labels: { layer: "stale" }, value: kept.stale },
    ],
  );
  const serviceLevel = registerServiceLevels(metrics);
  type OfMethod = { cells: Map<number, Cell>; promise: ReturnType<typeof serviceLevel> };
  /** By route, then method and status, so that no request builds a label. */
  const known = new Map<string, { methods: Map<string, OfMethod>; duration: Histogram }>();
  return (route, { method = "" }, { statusCode }, startedAtMs) => {
    let ofRoute = known.get(route);
    if (ofRoute === undefined)
      known.set(route, (ofRoute = { methods: new Map(), duration: durations(route) }));
    let ofMethod = ofRoute.methods.get(method);
    if (ofMethod === undefined)
      ofRoute.methods.set(
        method,
        (ofMethod = { cells: new Map(), promise: serviceLevel(method, route) }),
      );
    let cell = ofMethod.cells.get(statusCode);
    if (cell === undefined)
      ofMethod.cells.set(
        statusCode,
        (cell = requests.child(route, METHODS.has(method) ? method : "other", String(statusCode))),
      );
    cell.value += 1;
    const seconds = (loopNowMs() - startedAtMs) / 1_000;
    ofRoute.duration.observe(seconds);
    ofMethod.promise?.(statusCode, seconds);
  };
}
