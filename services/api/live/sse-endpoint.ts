import type { ServerResponse } from "node:http";
import { type Answer, refused } from "../../../domain/refusal.ts";
import type { AvailabilityUpdate } from "../../../lib/availability/availability-cache.ts";
import {
  type ProblemCode,
  problemOf,
  SECURITY_HEADERS,
  sendAnswer,
} from "../../../lib/http/problem-details.ts";
import type { ClientReader } from "../http/client-info.ts";
import { keyOfAddress } from "../http/rate-limits.ts";
import type { CompiledRoute } from "../routing/compile-route.ts";
import { readInput } from "../routing/parse-request.ts";
import type { Bus, MatchedRequest } from "../routing/route.ts";
import type { AvailabilityHub } from "./availability-broadcaster.ts";
import { isOpen } from "./sse-channel.ts";

/** Enough for an office behind one address; browsers open a handful each. */
const STREAMS_PER_ADDRESS_MAX = 200;
/** About 20 KB each. */
const STREAMS_MAX = 10_000;
/** Delay before a client reconnects. Random, since a gateway that stops ends thousands at once. */
const RETRY_MIN_MS = 1_000;
const RETRY_SPREAD_MS = 2_000;
const RETRY_AFTER_S = 10;

/** Proxies must neither store the stream nor buffer it. */
const HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
};

export type EventStreamDeps = {
  client: ClientReader;
  /** Whether the number of streams per address is limited. */
  limited: boolean;
  hub: AvailabilityHub;
};

export type EventStreams = {
  /** Answers a request with a stream and leaves it open. `bus` calls services for the request. */
  serve(route: CompiledRoute, exchange: MatchedRequest, bus: Bus): Promise<void>;
};

/**
 * Streams live availability as server-sent events. Ignores Last-Event-ID, since every stream begins
 * with the present number.
 */
export function createEventStreams({ client, limited, hub }: EventStreamDeps): EventStreams {
  const streamsByAddress = new Map<string, number>();

  const checkLimits = (address: string): Answer<never> | undefined => {
    if (hub.counts.open >= STREAMS_MAX) return refused("TRY_AGAIN");
    const open = streamsByAddress.get(address) ?? 0;
    if (!limited || open < STREAMS_PER_ADDRESS_MAX) return undefined;
    return refused("TOO_MANY_REQUESTS", { limit: "streams", retryAfterS: RETRY_AFTER_S });
  };
  const countUntilClosed = (address: string, response: ServerResponse): void => {
    streamsByAddress.set(address, (streamsByAddress.get(address) ?? 0) + 1);
    response.once("close", () => {
      const open = (streamsByAddress.get(address) ?? 1) - 1;
      if (open > 0) streamsByAddress.set(address, open);
      else streamsByAddress.delete(address);
    });
  };

  return {
    async serve(route, exchange, bus) {
      const { request, response, params, queryText } = exchange;
      const read = await readInput(request, route, params, queryText);
      if (!read.ok) {
        refuse(exchange, read.code, read.broken && { errors: read.broken });
        return;
      }
      const address = keyOfAddress(client.addressOf(request));
      const limit = checkLimits(address);
      if (limit?.ok === false) {
        refuse(exchange, limit.refusal.code, limit.refusal.data);
        return;
      }
      if (!isOpen(response)) return;
      countUntilClosed(address, response);
      const input = { ...read.input, idempotencyKey: "", client: () => client.clientOf(request) };
      const watching = await hub.enter(
        read.input.params.eventId ?? "",
        () => route.call(input, bus) as Promise<Answer<AvailabilityUpdate>>,
      );
      if (!watching.ok) {
        refuse(exchange, watching.refusal.code, watching.refusal.data);
        return;
      }
      if (!isOpen(response)) {
        watching.value.leave();
        return;
      }
      response.writeHead(200, { ...SECURITY_HEADERS, ...exchange.headers, ...HEADERS });
      if (request.method === "HEAD") {
        watching.value.leave();
        response.end();
        return;
      }
      const retryMs = Math.round(RETRY_MIN_MS + Math.random() * RETRY_SPREAD_MS);
      response.write(`retry: ${retryMs}\n\n`);
      watching.value.join(response);
    },
  };
}

function refuse(
  { request, response, requestId, headers }: MatchedRequest,
  code: ProblemCode,
  data?: Parameters<typeof problemOf>[2],
): void {
  const problem = problemOf(code, requestId, data);
  if (code === "TOO_MANY_REQUESTS") problem.headers["Retry-After"] = String(RETRY_AFTER_S);
  sendAnswer(request, response, problem, headers);
}
