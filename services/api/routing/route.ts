import type { Answer } from "../../../domain/refusal.ts";
import type { ProblemCode } from "../../../lib/http/problem-details.ts";
import type { Role } from "../../../lib/auth/jwt-verifier.ts";
import type { Client } from "../http/client-info.ts";
import type { ThrottleName } from "../http/rate-limits.ts";

/** Plain JSON Schema (2020-12): it validates requests here and describes them in the OpenAPI document. */
export type ObjectSchema = {
  type: "object";
  additionalProperties: false;
  required?: readonly string[];
  properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

export type Schema = Readonly<Record<string, unknown>>;

export type Tag = "auth" | "events" | "tickets" | "operations";

/** What the OpenAPI document says of a route beyond the rules that it is served by. */
export type About = {
  /** Its operationId, from which clients make names of functions. */
  id: string;
  tag: Tag;
  does: string;
  /** A success; JSON unless `mediaType` says otherwise. `headers`: what they hold, by name. */
  answer: {
    is: string;
    schema?: Schema;
    mediaType?: string;
    headers?: Readonly<Record<string, string>>;
  };
  /** What it can refuse with, besides what its rules and every route can. */
  refusals?: readonly ProblemCode[];
};

/** A request that has been validated: defaults are filled in, ids are in lower case, integers are numbers. */
export type Input = {
  params: Record<string, string>;
  query: Record<string, unknown>;
  body: Record<string, unknown>;
  /** Of a purchase: the client's key, or one made for it. */
  idempotencyKey: string;
  /** Who asks, for the few routes that need to know; read when it is called for. */
  client: () => Client;
};

/** How a route reaches the services. Faults of the bus come back as refusals; faults of a service are thrown. */
export type Bus = {
  /**
   * For what may safely be asked again: where its node left or died it is asked once more elsewhere, in vain it is TRY_AGAIN. `again` false: only
   * what was never sent is sent to another node.
   */
  ask<T>(action: string, params: object, again?: boolean): Promise<Answer<T>>;
  /** The same of every node that offers the action, side by side; undefined where a node did not answer within a second, or with a fault. */
  broadcastCall(action: string): Promise<{ nodeId: string; value: unknown }[]>;
  /** For what changes an event, by way of its owner: a lost answer is OUTCOME_UNKNOWN, a call that was never sent TRY_AGAIN. */
  command<T>(
    action: string,
    params: { eventId: string } & Record<string, unknown>,
  ): Promise<Answer<T>>;
};

export type Route = {
  method: "GET" | "POST" | "DELETE";
  /** As OpenAPI writes it: /api/events/{eventId}. */
  path: string;
  auth: "public" | Role;
  about: About;
  params?: ObjectSchema;
  query?: ObjectSchema;
  body?: { schema: ObjectSchema; required: boolean };
  /** Status of success. */
  status: 200 | 201 | 204;
  /** Every answer carries an Idempotency-Key, the client's or one minted for it. */
  idempotent?: true;
  /** Works by a cookie: even an empty body must not say that it is a form's, which any page may send. */
  cookie?: true;
  /** Every answer leaves a line of this name in the audit trail; without it only refusals of access do. */
  audit?: string;
  /** Under which throttle it is, besides the ceiling of its address. */
  throttle?: ThrottleName;
  /** A public read that is the same for everybody: its answers are kept by the gateway for a moment (`public-reads.ts`). */
  cached?: true;
  /** Served before moleculer-web sees it (`front-door.ts`): what a rush is made of. */
  direct?: true;
  /** Answered by a stream (`event-streams.ts`) that begins with what `call` finds. */
  stream?: true;
  /** Cache-Control of a success; `no-store` unless said. */
  cache?: string;
  call(input: Input, bus: Bus): Promise<Answer<unknown>>;
  /** Where a success is more than its value as JSON; `text` is sent as it is, under the Content-Type of `headers`. */
  success?(
    value: unknown,
    input: Input,
  ): { headers: Record<string, string>; body?: unknown; text?: string };
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
