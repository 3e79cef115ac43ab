import { type ClientRequest, request as httpRequest } from "node:http";
import type { EventStatus } from "../../../domain/event-record.ts";
import { waitFor } from "../wait-for.ts";

export type EventStream = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The data of the events so far. */
  events: { eventId: string; status?: EventStatus; available: number }[];
  /** The whole text so far. */
  text(): string;
  ended(): boolean;
  /** Waits for an event with this number, or for this many events. */
  sees(available: number): Promise<void>;
  close(): void;
};

/** Opens one stream of server-sent events. Resolves on its headers. */
export async function openStream(
  url: string,
  eventId: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const path = `/api/events/${eventId}/availability`;
    const asked: ClientRequest = httpRequest(
      { hostname, port, path, headers, agent: false },
      (response) => {
        let text = "";
        let ended = false;
        const events: EventStream["events"] = [];
        response.setEncoding("utf8");
        let unread = "";
        response.on("data", (chunk: string) => {
          text += chunk;
          unread += chunk;
          const messages = unread.split("\n\n");
          unread = messages.pop() ?? "";
          events.push(...messages.flatMap(readMessage));
        });
        for (const over of ["end", "close", "error"]) response.on(over, () => (ended = true));
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          events,
          text: () => text,
          ended: () => ended,
          async sees(available) {
            await waitFor(() => events.at(-1)?.available === available, {
              what: `The stream says ${available}`,
              withinMs: 15_000,
            });
          },
          close: () => asked.destroy(),
        });
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

/** Returns the data of one of our events; undefined for comments and fields for the browser. */
function readMessage(message: string): EventStream["events"] {
  const lines = message.split("\n");
  if (!lines.includes("event: availability")) return [];
  return lines.flatMap((line) =>
    line.startsWith("data: ") ? [JSON.parse(line.slice(6)) as EventStream["events"][number]] : [],
  );
}
