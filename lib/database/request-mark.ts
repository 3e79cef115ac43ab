import { AsyncLocalStorage } from "node:async_hooks";

const requests = new AsyncLocalStorage<string>();
/** Request ids that are safe in an SQL comment. */
const HARMLESS = /^[\w-]{1,128}$/;

/** Runs `work` for a request, so that its statements carry the request's id. */
export function runForRequest<T>(requestId: string | null | undefined, work: () => T): T {
  return requestId && HARMLESS.test(requestId) ? requests.run(requestId, work) : work();
}

/**
 * Puts the request's id in front of a query as pg takes it, so that pg_stat_activity and the log of
 * slow statements name the request. A prepared statement stays as it is: every other text would be
 * another statement.
 */
export function withRequestId(query: unknown): unknown {
  const requestId = requests.getStore();
  if (requestId === undefined) return query;
  const mark = `/* request=${requestId} */ `;
  if (typeof query === "string") return mark + query;
  const { text, name } = query as { text?: unknown; name?: unknown };
  if (typeof text !== "string" || name !== undefined) return query;
  return { ...(query as object), text: mark + text };
}
