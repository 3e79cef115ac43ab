import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answerOf, api } from "../api/client.ts";

/** Polling interval if the stream is refused, for example by an old proxy. */
const POLL_MS = 5_000;

export function useEvent(eventId: string, pollMs: number | false = false) {
  return useQuery({
    queryKey: ["event", eventId],
    queryFn: ({ signal }) =>
      answerOf(() => api.GET("/api/events/{eventId}", { params: { path: { eventId } }, signal })),
    refetchInterval: pollMs,
  });
}

/**
 * Returns an event whose `available` follows the gateway's stream. Hidden pages close the stream,
 * because browsers limit connections per host, and reopen it when they become visible.
 */
export function useLiveEvent(eventId: string) {
  const [available, setAvailable] = useState<number>();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    if (refused) return undefined;
    let stream: EventSource | undefined;
    const follow = (): void => {
      stream?.close();
      stream = undefined;
      setAvailable(undefined);
      if (document.hidden) return;
      const opened = (stream = new EventSource(`/api/events/${eventId}/availability`));
      opened.addEventListener("availability", ({ data }: MessageEvent<string>) => {
        setAvailable((JSON.parse(data) as { available: number }).available);
      });
      // EventSource reconnects by itself, unless the response is not an event stream.
      opened.addEventListener("error", () => {
        if (opened.readyState !== EventSource.CLOSED) return;
        setAvailable(undefined);
        setRefused(true);
      });
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      stream?.close();
    };
  }, [eventId, refused]);
  const query = useEvent(eventId, refused ? POLL_MS : false);
  const { data } = query;
  // The stream wins over a response: a response may be two seconds old.
  const event = data && available !== undefined ? { ...data, available } : data;
  return { ...query, event };
}
