import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answerOf, api } from "../api/client.ts";

/** Where the stream is refused (an old proxy between), the page asks itself. */
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
 * An event whose `available` follows the gateway's stream, a change at once. Hidden pages let go of the stream, since a browser has few connections
 * to one place, and catch up when they are seen again.
 */
export function useLiveEvent(eventId: string) {
  const [left, setLeft] = useState<number>();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    if (refused) return undefined;
    let stream: EventSource | undefined;
    const follow = (): void => {
      stream?.close();
      stream = undefined;
      setLeft(undefined);
      if (document.hidden) return;
      const opened = (stream = new EventSource(`/api/events/${eventId}/availability`));
      opened.addEventListener("availability", ({ data }: MessageEvent<string>) => {
        setLeft((JSON.parse(data) as { available: number }).available);
      });
      // It reconnects by itself, unless it was answered with something that is no stream.
      opened.addEventListener("error", () => {
        if (opened.readyState !== EventSource.CLOSED) return;
        setLeft(undefined);
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
  const found = useEvent(eventId, refused ? POLL_MS : false);
  // An answer that was asked for may be two seconds old, the stream tells of each change once: what it said last stands.
  const event = found.data && left !== undefined ? { ...found.data, available: left } : found.data;
  return { ...found, event };
}
