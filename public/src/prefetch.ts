import { filtersFrom, queryOf } from "./search/filters.ts";

export type Prefetch = { path: string; response: Promise<Response> };

/** Limit of one request. The gateway answers within four seconds, so a longer wait is a loss. */
export const REQUEST_TIMEOUT_MS = 10_000;
const EVENT = /^\/events\/([^/]+)$/;

/** Returns the first public API request of a page. For a route pattern, that of the pattern. */
export function prefetchPath({
  pathname,
  search,
}: {
  pathname: string;
  search: string;
}): string | undefined {
  if (pathname === "/") {
    const query = queryOf(filtersFrom(new URLSearchParams(search)));
    const texts = Object.entries(query).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    return `/api/events?${new URLSearchParams(texts).toString()}`;
  }
  const [, eventId] = EVENT.exec(pathname) ?? [];
  return eventId && `/api/events/${eventId}`;
}

/** Compares two addresses. Encoding and the order of parameters do not matter. */
export function isSameRequest(one: string, other: string, origin: string): boolean {
  const normalize = (address: string): string => {
    const { pathname, searchParams } = new URL(address, origin);
    searchParams.sort();
    return `${pathname}?${searchParams.toString()}`;
  };
  return normalize(one) === normalize(other);
}
