import type { IncomingMessage, ServerResponse } from "node:http";
import { type Answer, refused } from "../../../domain/refusal.ts";
import type { AvailabilityUpdate } from "../../../lib/availability/availability-event.ts";
import {
  type ProblemCode,
  problemOf,
  SECURITY_HEADERS,
  sendAnswer,
} from "../../../lib/http/problem-details.ts";
import type { AvailabilityHub } from "./availability-broadcaster.ts";
import type { ClientReader } from "../http/client-info.ts";
import type { CompiledRoute } from "../routing/compile-route.ts";
import type { MatchedRequest } from "../routing/direct-router.ts";
import { readInput } from "../routing/parse-request.ts";
import type { Bus } from "../routing/route.ts";
import { isOpen } from "./sse-channel.ts";
import { keyOfAddress } from "../http/rate-limits.ts";

/** An office behind one address; browsers open a handful each. */
const OF_ADDRESS_MAX = 200;
/** Some 20 KB each. */
const ALL_MAX = 10_000;
/** When a client whose stream has ended comes back: spread, since a gateway that stops ends thousands at once. */
const RETRY_LEAST_MS = 1_000;
const RETRY_SPREAD_MS = 2_000;
const RETRY_AFTER_S = 10;

export type StreamTools = {
  client: ClientReader;
  /** Whether an address has a limit of its own. */
  limited: boolean;
  hub: AvailabilityHub;
  fault: (error: unknown, facts: { requestId: string; route: string }) => void;
};

export type EventStreams = {
  /** Answers a request for a stream and leaves it open. Never rejects. `bus` calls services in the request's name. */
  serve(
    route: CompiledRoute,
    question: MatchedRequest,
    bus: Bus,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>;
};

/** Live availability as server-sent events. What a client says it saw last (Last-Event-ID) changes nothing: it gets the present number at once. */
export function createEventStreams({ client, limited, hub, fault }: StreamTools): EventStreams {
  const ofAddress = new Map<string, number>();

  /** What stands against one more stream of this address. */
  const refusal = (address: string): Answer<never> | undefined => {
    if (hub.counts.open >= ALL_MAX) return refused("TRY_AGAIN");
    if (!limited || (ofAddress.get(address) ?? 0) < OF_ADDRESS_MAX) return undefined;
    return refused("TOO_MANY_REQUESTS", { limit: "streams", retryAfterS: RETRY_AFTER_S });
  };
  const hold = (address: string, response: ServerResponse): void => {
    ofAddress.set(address, (ofAddress.get(address) ?? 0) + 1);
    response.once("close", () => {
      const left = (ofAddress.get(address) ?? 1) - 1;
      if (left > 0) ofAddress.set(address, left);
      else ofAddress.delete(address);
    });
  };

  return {
    async serve(route, { params, queryText, requestId }, bus, request, response) {
      const own = { "X-Request-ID": requestId };
      const refuse = (code: ProblemCode, data?: Parameters<typeof problemOf>[2]): void => {
        const problem = problemOf(code, requestId, data);
        const more = code === "TOO_MANY_REQUESTS" ? { "Retry-After": String(RETRY_AFTER_S) } : {};
        sendAnswer(
          request,
          response,
          { ...problem, headers: { ...problem.headers, ...more } },
          own,
        );
      };
      try {
        const read = await readInput(request, route, params, queryText);
        if (!read.ok) {
          refuse(read.code, read.broken && { errors: read.broken });
          return;
        }
        const address = keyOfAddress(client.addressOf(request));
        const against = refusal(address);
        if (against?.ok === false) {
          refuse(against.refusal.code, against.refusal.data);
          return;
        }
        if (!isOpen(response)) return;
        hold(address, response);
        const input = { ...read.input, idempotencyKey: "", client: () => client.clientOf(request) };
        const eventId = read.input.params.eventId ?? "";
        const watching = await hub.enter(
          eventId,
          () => route.call(input, bus) as Promise<Answer<AvailabilityUpdate>>,
        );
        if (!watching.ok) {
          refuse(watching.refusal.code, watching.refusal.data);
          return;
        }
        if (!isOpen(response)) {
          watching.value.leave();
          return;
        }
        response.writeHead(200, { ...SECURITY_HEADERS, ...own, ...HEADERS });
        if (request.method === "HEAD") {
          watching.value.leave();
          response.end();
          return;
        }
        response.write(
          `retry: ${Math.round(RETRY_LEAST_MS + Math.random() * RETRY_SPREAD_MS)}\n\n`,
        );
        watching.value.join(response);
      } catch (error) {
        fault(error, { requestId, route: `${route.method} ${route.path}` });
        refuse("INTERNAL");
      }
    },
  };
}

/** A proxy is neither to keep it, nor to wait until there is more. */
const HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
};
