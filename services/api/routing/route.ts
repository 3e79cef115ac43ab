import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "../../../domain/refusal.ts";
import type { ProblemCode } from "../../../lib/http/problem-details.ts";
import type { Role } from "../../../lib/auth/jwt.ts";
import type { Client } from "../http/client-info.ts";
import type { ThrottleName } from "../http/rate-limits.ts";

/** Plain JSON Schema (2020-12): validates requests and describes them in the OpenAPI document. */
export type ObjectSchema = {
  type: "object";
  additionalProperties: false;
  required?: readonly string[];
  properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

export type Schema = Readonly<Record<string, unknown>>;

export type Tag = "auth" | "events" | "tickets" | "operations";

/** What the OpenAPI document says about a route besides its rules. */
export type About = {
  /** The operationId. Generated clients name functions by it. */
  id: string;
  tag: Tag;
  description: string;
  /** A success. JSON if there is no `mediaType`. `headers`: descriptions by name. */
  success: {
    description: string;
    schema?: Schema;
    mediaType?: string;
    headers?: Readonly<Record<string, string>>;
  };
  /** Refusals in addition to those that follow from the rules. */
  refusals?: readonly ProblemCode[];
};

/** A validated request: defaults filled in, ids in lower case, integers as numbers. */
export type Input = {
  params: Record<string, string>;
  query: Record<string, unknown>;
  body: Record<string, unknown>;
  /** Of an idempotent route: the client's key, or a new one. */
  idempotencyKey: string;
  /** Reads the client's facts. Few routes need them. */
  client: () => Client;
};

/**
 * The refusal of a command that no node has looked up. OUTCOME_UNKNOWN for a purchase: an earlier
 * request may have sold its key.
 */
export type NotSent = "TRY_AGAIN" | "OUTCOME_UNKNOWN";

/** The actions of commands. Both can travel in a list. */
export type CommandAction = "purchasing.buy" | "purchasing.cancel";

/** Calls services. Faults of the bus become refusals; faults of a service are thrown. */
export type Bus = {
  /**
   * Calls an action on any node. If its node leaves or dies, the call is repeated once on another
   * node, then refused with TRY_AGAIN. `repeatable` false: repeated only if it was never sent.
   */
  call<T>(action: string, params: object, repeatable?: boolean): Promise<Answer<T>>;
  /**
   * Calls the action on every node that offers it. `value` is undefined for a node that fails or
   * does not answer within a second.
   */
  broadcastCall(action: string): Promise<{ nodeId: string; value: unknown }[]>;
  /**
   * Sends a command to the owner of its event. A lost answer is OUTCOME_UNKNOWN. `notSent` is the
   * refusal where no node can be reached.
   */
  command<T>(
    action: CommandAction,
    params: { eventId: string } & Record<string, unknown>,
    notSent: NotSent,
  ): Promise<Answer<T>>;
};

export type Route = {
  method: "GET" | "POST" | "DELETE";
  /** In OpenAPI's notation: /api/events/{eventId}. */
  path: string;
  auth: "public" | Role;
  about: About;
  params?: ObjectSchema;
  query?: ObjectSchema;
  body?: { schema: ObjectSchema; required: boolean };
  /** Status of a success. 202 and 204 have no body. */
  status: 200 | 201 | 202 | 204;
  /** Every response has an Idempotency-Key: the client's, or a new one, which a 422 lacks. */
  idempotent?: true;
  /** Uses a cookie. Then even an empty body must not have the type of a form (CSRF). */
  cookie?: true;
  /** Name of the audit line of every response. Without it only refused access is audited. */
  audit?: string;
  /** Rate limit of the route, in addition to the limit of the address. */
  throttle?: ThrottleName;
  /** One answer for all callers: served from the response cache (see `cached-route.ts`). */
  cached?: true;
  /** Bypasses moleculer-web (see `createDirectRouter`). Set on hot routes only. */
  direct?: true;
  /** Answered by a stream (see `sse-endpoint.ts`) that begins with the result of `call`. */
  stream?: true;
  /** Cache-Control of a success; the default is `no-store`. */
  cache?: string;
  call(input: Input, bus: Bus): Promise<Answer<unknown>>;
  /** Builds a success that is more than JSON of the value. `text` needs a Content-Type header. */
  success?(
    value: unknown,
    input: Input,
  ): { headers: Record<string, string>; body?: unknown; text?: string };
};

/** The values of a path's parameters, and the text behind `?`. */
export type MatchedPath = { params: Record<string, string>; queryText: string };

/** A request that a router has matched, with its response. */
export type MatchedRequest = MatchedPath & {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  /** Response headers of this request, in addition to those of its reply. */
  headers: Record<string, string>;
};

export function objectSchema(
  properties: ObjectSchema["properties"],
  required: readonly string[] = [],
): ObjectSchema {
  return { type: "object", additionalProperties: false, required, properties };
}

export const UUID = { type: "string", format: "uuid" } as const;
export const DAY = { type: "string", format: "date" } as const;
export const PAGE_LIMIT = { type: "integer", minimum: 1, maximum: 100, default: 20 } as const;
export const CURSOR = { type: "string", maxLength: 512 } as const;
