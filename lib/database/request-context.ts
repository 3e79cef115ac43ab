import { AsyncLocalStorage } from "node:async_hooks";

const requests = new AsyncLocalStorage<string>();

/** What may stand in a comment of SQL: no character that could end it. */
const HARMLESS = /^[\w-]{1,128}$/;

/** Runs `work` on behalf of a request, so that its statements can name the request. */
export function runForRequest<T>(requestId: string | null | undefined, work: () => T): T {
  return requestId && HARMLESS.test(requestId) ? requests.run(requestId, work) : work();
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
