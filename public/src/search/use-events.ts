import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { answerOf, api } from "../api/client.ts";
import type { Event } from "../api/types.ts";
import { type Filters, queryOf } from "./filters.ts";

/** Pages of events by cursor. Earlier results stay visible during a new search. */
export function useEvents(filters: Filters) {
  return useInfiniteQuery({
    queryKey: ["events", filters],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...queryOf(filters), ...(pageParam !== undefined && { cursor: pageParam }) };
      return answerOf(() => api.GET("/api/events", { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  });
}

const NAMES_SUGGESTED = 4;

/** Events that a text finds, for suggestions. */
export function useEventsLike(text: string): Event[] {
  const { data } = useQuery({
    queryKey: ["suggested", text],
    queryFn: ({ signal }) =>
      answerOf(() =>
        api.GET("/api/events", { params: { query: { q: text, limit: NAMES_SUGGESTED } }, signal }),
      ),
    enabled: text !== "",
    placeholderData: keepPreviousData,
    staleTime: 15_000,
  });
  return data?.items ?? [];
}

/** Cities and types of all events, for suggestions. */
export function useChoices() {
  return useQuery({
    queryKey: ["filters"],
    queryFn: ({ signal }) => answerOf(() => api.GET("/api/events/filters", { signal })),
    staleTime: 300_000,
  });
}

/** Groups events by date. */
export function byDay(events: readonly Event[]): [day: string, events: Event[]][] {
  return [...Map.groupBy(events, ({ date }) => date)];
}
