import type { Context, Middleware } from "moleculer";
import { EVENT_OWNER } from "../lib/bus/event-owner.strategy.ts";
import { runForRequest } from "../lib/database/pool.ts";

/**
 * Names the request in the SQL of an action. Not for commands of an event's worker: one batch works
 * for hundreds of requests, and the audit trail links each of them to its transaction.
 */
export function requestContext(): Middleware {
  return {
    name: "RequestContext",
    localAction(next, { strategy, name }) {
      if (strategy === EVENT_OWNER || name === "purchasing.serve") return next;
      return function withRequest(this: unknown, ctx: Context) {
        return runForRequest(ctx.requestID, () => next.call(this as never, ctx) as unknown);
      };
    },
  };
}
