import type { Cell, Metrics } from "../../../lib/observability/metrics.ts";

/** Promises to customers, each with an error budget. See docs/operations.md, "Service levels". */
const SERVICE_LEVELS = ["purchases", "reads", "sign-in"] as const;
type ServiceLevel = (typeof SERVICE_LEVELS)[number];

/** Seconds that a read may take: the requirement's own figure. */
export const READ_SECONDS_MAX = 0.5;

const ROUTES: Readonly<Record<string, ServiceLevel>> = {
  "POST /api/events/{eventId}/tickets": "purchases",
  "DELETE /api/tickets/{ticketId}": "purchases",
  "GET /api/events": "reads",
  "GET /api/events/filters": "reads",
  "GET /api/events/{eventId}": "reads",
  "GET /api/tickets": "reads",
  "GET /api/tickets/{ticketId}": "reads",
  "GET /api/tickets/{ticketId}/qr.svg": "reads",
  "GET /api/transactions/{transactionId}": "reads",
  "POST /api/auth/login": "sign-in",
  "POST /api/auth/refresh": "sign-in",
};

/** Counts one answer. */
type CountAnswer = (status: number, seconds: number) => void;

/**
 * Registers the requests that count for each promise, and those that broke it: a 5xx, or a read
 * above half a second. A client over its limit (429) does not count; other refusals are good
 * answers. All series are there from the start. Returns the counter of a route's method, or
 * undefined if nothing is promised for it.
 */
export function registerServiceLevels(
  metrics: Metrics,
): (method: string, route: string) => CountAnswer | undefined {
  const all = metrics.counters(
    "boxoffice_slo_requests_total",
    "Requests that count for a promise.",
    ["slo"],
  );
  const broken = metrics.counters(
    "boxoffice_slo_bad_requests_total",
    "Of them, those that broke it: a 5xx, or a read that took longer than half a second.",
    ["slo"],
  );
  const cells = Object.fromEntries(
    SERVICE_LEVELS.map((name) => [name, [all.child(name), broken.child(name)]]),
  ) as Record<ServiceLevel, [Cell, Cell]>;
  return (method, route) => {
    const name = ROUTES[`${method} ${route}`];
    if (name === undefined) return undefined;
    const [total, bad] = cells[name];
    const secondsMax = name === "reads" ? READ_SECONDS_MAX : Infinity;
    return (status, seconds) => {
      if (status === 429) return;
      total.value += 1;
      if (status >= 500 || seconds > secondsMax) bad.value += 1;
    };
  };
}
