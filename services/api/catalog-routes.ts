import { CURSOR, DAY, PAGE_LIMIT, type Route, UUID, objectSchema } from "./route.ts";

/** The same for everybody, and as long in anybody's cache as in ours: what is left to sell is two seconds old at most. */
const SHARED = { kept: true, direct: true, cache: "public, max-age=1" } as const;

const search: Route = {
  method: "GET",
  path: "/api/events",
  auth: "public",
  query: objectSchema({
    location: { type: "string", minLength: 1, maxLength: 100 },
    name: { type: "string", minLength: 1, maxLength: 100 },
    type: { type: "string", minLength: 1, maxLength: 50 },
    date: DAY,
    from: DAY,
    to: DAY,
    limit: PAGE_LIMIT,
    cursor: CURSOR,
  }),
  status: 200,
  ...SHARED,
  throttle: "search",
  call: ({ query }, bus) => bus.ask("catalog.search", query),
};

const filters: Route = {
  method: "GET",
  path: "/api/events/filters",
  auth: "public",
  status: 200,
  ...SHARED,
  call: (_input, bus) => bus.ask("catalog.filters", {}),
};

const get: Route = {
  method: "GET",
  path: "/api/events/{eventId}",
  auth: "public",
  params: objectSchema({ eventId: UUID }, ["eventId"]),
  status: 200,
  ...SHARED,
  call: ({ params }, bus) => bus.ask("catalog.get", params),
};

export const CATALOG_ROUTES: readonly Route[] = [search, filters, get];
