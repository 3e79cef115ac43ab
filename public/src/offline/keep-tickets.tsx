import { useQueries } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Event } from "../api/types.ts";
import { eventQuery } from "../event/use-event.ts";
import { localToday } from "../search/filters.ts";
import { isOld, useTickets } from "../tickets/use-tickets.ts";
import { type Holder, keepTickets } from "./kept-tickets.ts";

/** Younger data is kept as it is. Purchases and cancellations ask for new data at once. */
const STALE_MS = 10 * 60_000;
/** Events whose times are kept, the next ones. */
const EVENTS_MAX = 20;

/** Keeps the holder's tickets for times without network. Shows nothing. */
export function KeepTickets({ holder: { id, name } }: { holder: Holder }): null {
  const { data, dataUpdatedAt, tickets = [], hasNextPage } = useTickets("active", STALE_MS);
  const today = localToday();
  const upcoming = tickets.filter(({ eventDate }) => eventDate >= today);
  const eventIds = [...new Set(upcoming.map(({ eventId }) => eventId))].slice(0, EVENTS_MAX);
  const events = useQueries({
    queries: eventIds.map((eventId) => ({ ...eventQuery(eventId), staleTime: STALE_MS })),
    combine: knownEvents,
  });
  useEffect(() => {
    if (data !== undefined && !data.pages.some(isOld) && !hasNextPage)
      keepTickets({
        holder: { id, name },
        asOfMs: dataUpdatedAt,
        tickets: data.pages.flatMap(({ items }) => items),
        events,
      });
  }, [id, name, data, dataUpdatedAt, hasNextPage, events]);
  return null;
}

function knownEvents(results: { data: Event | undefined }[]): Event[] {
  return results.map(({ data }) => data).filter((event) => event !== undefined);
}
