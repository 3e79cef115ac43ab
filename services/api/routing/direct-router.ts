import type { IncomingMessage, ServerResponse } from "node:http";
import type { Resource } from "./compile-route.ts";

/** The values of a path's parameters, and the text behind `?`. */
export type MatchedPath = { params: Record<string, string>; queryText: string };

/** A request that a router has matched, with its response. */
export type MatchedRequest = MatchedPath & {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  /** Response headers of this request, in addition to those of its reply. */
  headers: Record<string, string>;
};

/** Connect-style, as moleculer-web's `use` takes it. Calls `next` for what it does not answer. */
export type HttpMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => void;

type Serve = (
  resource: Resource,
  matched: MatchedPath,
  request: IncomingMessage,
  response: ServerResponse,
) => void;

const PARAMETER = /\{(\w+)\}/g;

/**
 * Serves the hot routes, those marked `direct`. moleculer-web's context and alias cost such a
 * request as much CPU as its answer, so this middleware runs before it. Every other method and
 * unusual spelling (a slash at the end, percents) is left to moleculer-web, whose aliases lead to
 * the same handler. See docs/decisions/0019-direct-router-for-hot-paths.md.
 */
export function createDirectRouter(resources: readonly Resource[], serve: Serve): HttpMiddleware {
  const routes = resources
    .map((resource) => ({
      resource,
      methods: [...resource.byMethod].flatMap(([method, { direct }]) => (direct ? [method] : [])),
      names: [...resource.path.matchAll(PARAMETER)].map(([, name = ""]) => name),
      // V8 takes six times as long for named groups.
      pattern: new RegExp(`^${resource.path.replaceAll(PARAMETER, "([\\w-]+)")}$`),
    }))
    .filter(({ methods }) => methods.length > 0)
    // A literal path precedes one with a parameter in its place.
    .sort((one, other) => one.names.length - other.names.length);

  return (request, response, next) => {
    const { method = "", url = "" } = request;
    const mark = url.indexOf("?");
    const path = mark === -1 ? url : url.slice(0, mark);
    for (const { resource, methods, names, pattern } of routes) {
      if (!methods.includes(method)) continue;
      const match = pattern.exec(path);
      if (match === null) continue;
      const params: MatchedPath["params"] = {};
      for (const [index, name] of names.entries()) params[name] = match[index + 1] ?? "";
      serve(resource, { params, queryText: queryTextOf(url) }, request, response);
      return;
    }
    next();
  };
}

/** The text behind `?`. */
export function queryTextOf(url: string): string {
  const mark = url.indexOf("?");
  return mark === -1 ? "" : url.slice(mark + 1);
}
