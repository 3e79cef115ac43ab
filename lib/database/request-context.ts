import { AsyncLocalStorage } from "node:async_hooks";
import type { Context, Middleware } from "moleculer";
import { EVENT_OWNER } from "../bus/event-owner.strategy.ts";

const requests = new AsyncLocalStorage<string>();

/** What may stand in a comment of SQL: no character that could end it. */
const HARMLESS = /^[\w-]{1,128}$/;

/**
 * Remembers for which request an action works, so that its statements can say so. Not for what an event's worker does: a batch works for hundreds
 * of requests at once, and the audit trail leads from each of them to its transaction.
 */
export function requestContext(): Middleware {
  return {
    name: "RequestContext",
    localAction(next, { strategy, name }) {
      if (strategy === EVENT_OWNER || name === "purchasing.serve") return next;
      return function remembering(this: unknown, ctx: Context) {
        const { requestID } = ctx;
        const run = (): unknown => next.call(this as never, ctx) as unknown;
        return requestID && HARMLESS.test(requestID) ? requests.run(requestID, run) : run();
      };
    },
  };
}

/**
 * A query as pg takes it, with the request's id in front: pg_stat_activity and PostgreSQL's log of slow statements then name the request. A prepared
 * statement (one with a name) is left as it is, since every other text would be another statement.
 */
export function withRequestId(query: unknown): unknown {
  const requestId = requests.getStore();
  if (requestId === undefined) return query;
  if (typeof query === "string") return `/* request=${requestId} */ ${query}`;
  const { text, name } = query as { text?: unknown; name?: unknown };
  return typeof text === "string" && name === undefined
    ? { ...(query as object), text: `/* request=${requestId} */ ${text}` }
    : query;
}
