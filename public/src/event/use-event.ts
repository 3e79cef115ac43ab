import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answerOf, api } from "../api/client.ts";
import type { Event } from "../api/types.ts";

/** Polling interval if the stream is refused, for example by an old proxy. */
const POLL_MS = 5_000;
/** Polling interval while a response is older than the stream. */
const STALE_POLL_MS = 1_000;
/** A response is up to two seconds old: one in the gateway's cache, one in the browser's. */
const RESPONSE_AGE_MS_MAX = 2_500;

export function eventQuery(eventId: string) {
  return queryOptions({
    queryKey: ["event", eventId],
    queryFn: ({ signal }) =>
      answerOf(() => api.GET("/api/events/{eventId}", { params: { path: { eventId } }, signal })),
  });
}

/** Reads an event. `pollMs` says how often it is read again, from what was read last, and when. */
export function useEvent(
  eventId: string,
  pollMs: (read: { data: Event | undefined; dataUpdatedAt: number }) => number | false = () =>
    false,
  enabled = true,
) {
  return useQuery({
    ...eventQuery(eventId),
    enabled,
    refetchInterval: ({ state }) => pollMs(state),
  });
}

/** What the stream says of an event. `changedAtMs`: when it named another status than before. */
type Live = Pick<Event, "available"> & Partial<Pick<Event, "status">> & { changedAtMs: number };

/**
 * Returns an event whose `available` and `status` follow the gateway's stream. Hidden pages close
 * the stream, because browsers limit connections per host, and reopen it when they become visible.
 */
export function useLiveEvent(eventId: string) {
  const [live, setLive] = useState<Live>();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    if (refused) return undefined;
    let stream: EventSource | undefined;
    const follow = (): void => {
      stream?.close();
      stream = undefined;
      setLive(undefined);
      if (document.hidden) return;
      const opened = (stream = new EventSource(`/api/events/${eventId}/availability`));
      opened.addEventListener("availability", ({ data }: MessageEvent<string>) => {
        const said = JSON.parse(data) as Omit<Live, "changedAtMs">;
        setLive((before) => ({
          ...said,
          changedAtMs:
            before === undefined || before.status === said.status
              ? (before?.changedAtMs ?? 0)
              : Date.now(),
        }));
      });
      // EventSource reconnects by itself, unless the response is not an event stream.
      opened.addEventListener("error", () => {
        if (opened.readyState !== EventSource.CLOSED) return;
        setLive(undefined);
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
  const query = useEvent(eventId, ({ data: read, dataUpdatedAt }) => {
    if (refused) return POLL_MS;
    if (live?.status === undefined || read === undefined) return false;
    // A new status comes with a new date at times, and a response may be older than the news.
    const isOld = dataUpdatedAt < live.changedAtMs + RESPONSE_AGE_MS_MAX;
    return (isOld || live.status !== read.status) && STALE_POLL_MS;
  });
  const { data } = query;
  // The stream wins over a response: a response may be two seconds old.
  const event = data && live !== undefined ? withLive(data, live) : data;
  return { ...query, event };
}

function withLive(event: Event, { available, status = event.status }: Live): Event {
  return { ...event, available, status };
}
