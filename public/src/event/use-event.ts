import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answerOf, api } from "../api/client.ts";
import type { Event } from "../api/types.ts";

/** Where the stream is refused (an old proxy between), the page asks itself. */
const POLL_MS = 5_000;

export function useEvent(eventId: string, pollMs: number | false = false) {
  return useQuery({
    queryKey: ["event", eventId],
    queryFn: ({ signal }) => answerOf(() => api.GET("/api/events/{eventId}", { params: { path: { eventId } }, signal })),
    refetchInterval: pollMs,
  });
}

/**
 * An event whose `available` follows the gateway's stream, a change at once. Hidden pages let go of the stream, since a browser has few connections
 * to one place, and catch up when they are seen again.
 */
export function useLiveEvent(eventId: string) {
  const queries = useQueryClient();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    if (refused) return undefined;
    let stream: EventSource | undefined;
    const follow = (): void => {
      stream?.close();
      stream = undefined;
      if (document.hidden) return;
      const opened = (stream = new EventSource(`/api/events/${eventId}/availability`));
      opened.addEventListener("availability", ({ data }: MessageEvent<string>) => {
        const { available } = JSON.parse(data) as { available: number };
        queries.setQueryData<Event>(["event", eventId], (event) => event && { ...event, available });
      });
      // It reconnects by itself, unless it was answered with something that is no stream.
      opened.addEventListener("error", () => opened.readyState === EventSource.CLOSED && setRefused(true));
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      stream?.close();
    };
  }, [eventId, queries, refused]);
  return useEvent(eventId, refused ? POLL_MS : false);
}
