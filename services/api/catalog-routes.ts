import { CURSOR, DAY, PAGE_LIMIT, type Route, UUID, objectSchema } from "./route.ts";

/** Whoever keeps a copy asks before using it again: availability is old within seconds. */
const REVALIDATE = "no-cache";

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
  cache: REVALIDATE,
  throttle: "search",
  call: ({ query }, bus) => bus.ask("catalog.search", query),
};

const filters: Route = {
  method: "GET",
  path: "/api/events/filters",
  auth: "public",
  status: 200,
  cache: REVALIDATE,
  call: (_input, bus) => bus.ask("catalog.filters", {}),
};

const get: Route = {
  method: "GET",
  path: "/api/events/{eventId}",
  auth: "public",
  params: objectSchema({ eventId: UUID }, ["eventId"]),
  status: 200,
  cache: REVALIDATE,
  call: ({ params }, bus) => bus.ask("catalog.get", params),
};

export const CATALOG_ROUTES: readonly Route[] = [search, filters, get];
