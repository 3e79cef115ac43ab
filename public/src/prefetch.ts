import { filtersFrom, queryOf } from "./search/filters.ts";

export type Early = { path: string; answer: Promise<Response> };

/** The gateway gives up after some four seconds; a longer silence means that the answer is lost. */
export const PATIENCE_MS = 10_000;
const EVENT = /^\/events\/([^/]+)$/;

/** What the page at this address will ask the API first, where anybody may ask it; of an address's pattern, the question's. */
export function earlyPath({
  pathname,
  search,
}: {
  pathname: string;
  search: string;
}): string | undefined {
  if (pathname === "/")
    return `/api/events?${new URLSearchParams(textsOf(queryOf(filtersFrom(new URLSearchParams(search))))).toString()}`;
  const [, eventId] = EVENT.exec(pathname) ?? [];
  return eventId && `/api/events/${eventId}`;
}

function textsOf(query: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}

/** Whether two addresses ask the same, however they are spelt. */
export function asksTheSame(one: string, other: string, origin: string): boolean {
  const spelt = (address: string): string => {
    const { pathname, searchParams } = new URL(address, origin);
    searchParams.sort();
    return `${pathname}?${searchParams.toString()}`;
  };
  return spelt(one) === spelt(other);
}
