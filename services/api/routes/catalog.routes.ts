import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import type { AvailabilityUpdate } from "../../../lib/availability/availability-cache.ts";
import { listOf, pageOf, record, ref } from "../openapi/schemas.ts";
import { CURSOR, DAY, PAGE_LIMIT, type Route, UUID, objectSchema } from "../routing/route.ts";

/** One answer for all callers. A second here and in the client's cache: at most two seconds old. */
const SHARED = { cached: true, direct: true, cache: "public, max-age=1" } as const;

const search: Route = {
  method: "GET",
  path: "/api/events",
  auth: "public",
  about: {
    id: "searchEvents",
    tag: "events",
    description: "Upcoming events, sorted by date, then start, then id. Filters combine with AND.",
    success: { description: "A page", schema: pageOf("Event") },
  },
  query: objectSchema({
    q: {
      type: "string",
      minLength: 1,
      maxLength: 100,
      pattern: "\\S",
      description:
        "Name or city: each word must be in one of them. One letter of a word of five or more may " +
        "be wrong. A city is found by any of its common names",
    },
    location: {
      type: "string",
      minLength: 1,
      maxLength: 100,
      description: "City, any of its common names, whole, case- and accent-insensitive",
    },
    name: {
      type: "string",
      minLength: 1,
      maxLength: 100,
      description:
        "Partial match anywhere in the name, case- and accent-insensitive; %, _ and \\ are " +
        "ordinary characters",
    },
    type: { type: "string", minLength: 1, maxLength: 50 },
    date: { ...DAY, description: "That day; a past one lists past events" },
    from: {
      ...DAY,
      description: "That day and later; today also lists what goes on, a past day past events",
    },
    to: { ...DAY, description: "That day and earlier" },
    limit: PAGE_LIMIT,
    cursor: CURSOR,
  }),
  status: 200,
  ...SHARED,
  throttle: "search",
  call: ({ query }, bus) => bus.call("catalog.search", query),
};

const filters: Route = {
  method: "GET",
  path: "/api/events/filters",
  auth: "public",
  about: {
    id: "getFilters",
    tag: "events",
    description: "Values to filter by: cities and types of upcoming events, most events first.",
    success: {
      description: "Filters",
      schema: record({ locations: listOf(ref("Count")), types: listOf(ref("Count")) }),
    },
  },
  status: 200,
  ...SHARED,
  call: (_input, bus) => bus.call("catalog.filters", {}),
};

const get: Route = {
  method: "GET",
  path: "/api/events/{eventId}",
  auth: "public",
  about: {
    id: "getEvent",
    tag: "events",
    description: "One event, also a past one.",
    success: { description: "The event", schema: ref("Event") },
    refusals: ["EVENT_NOT_FOUND"],
  },
  params: objectSchema({ eventId: UUID }, ["eventId"]),
  status: 200,
  ...SHARED,
  call: ({ params }, bus) => bus.call("catalog.get", params),
};

const availability: Route = {
  method: "GET",
  path: "/api/events/{eventId}/availability",
  auth: "public",
  about: {
    id: "watchAvailability",
    tag: "events",
    description:
      "Server-sent events: at once, then on every change (at most 4 a second), `event: " +
      "availability`, data {eventId, status, available}; no status while it is unknown. A " +
      "comment line every 15 s keeps it open. It ends when the gateway stops; clients reconnect " +
      "by themselves.",
    success: { description: "A stream", mediaType: "text/event-stream" },
    refusals: ["EVENT_NOT_FOUND", "TOO_MANY_REQUESTS"],
  },
  params: objectSchema({ eventId: UUID }, ["eventId"]),
  status: 200,
  stream: true,
  async call({ params: { eventId } }, bus): Promise<Answer<AvailabilityUpdate>> {
    const answer = await bus.call<{ items: AvailabilityUpdate[] }>("catalog.left", {
      eventIds: [eventId],
    });
    if (!answer.ok) return answer;
    const [update] = answer.value.items;
    return update === undefined ? refused("EVENT_NOT_FOUND") : accepted(update);
  },
};

export const CATALOG_ROUTES: readonly Route[] = [search, filters, get, availability];
