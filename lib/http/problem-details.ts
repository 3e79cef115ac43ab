import { type IncomingMessage, ServerResponse } from "node:http";
import type { RefusalCode, RefusalData } from "../../domain/refusal.ts";

/** Refusals of HTTP itself. All others are refusals of the domain. */
type HttpCode =
  | "EXPECTATION_FAILED"
  | "INTERNAL"
  | "MALFORMED"
  | "METHOD_NOT_ALLOWED"
  | "NOT_FOUND"
  | "TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE";

export type ProblemCode = RefusalCode | HttpCode;

/** The contract's closed list of codes. A refusal without a line here does not compile. */
export const PROBLEMS: Readonly<Record<ProblemCode, { status: number; title: string }>> = {
  CSRF_REFUSED: { status: 403, title: "Only pages of this site may send this request" },
  EMAIL_TAKEN: { status: 409, title: "An account with this e-mail already exists" },
  EVENT_CANCELLED: { status: 409, title: "The event is cancelled" },
  EVENT_NOT_FOUND: { status: 404, title: "The event does not exist" },
  EVENT_OVER: { status: 409, title: "The event has started" },
  EVENT_POSTPONED: { status: 409, title: "The event is postponed" },
  EVENT_SOLD_OUT: { status: 409, title: "Not enough tickets left" },
  EXPECTATION_FAILED: { status: 417, title: "The Expect header cannot be met" },
  FORBIDDEN: { status: 403, title: "The caller is not allowed to do this" },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: "The idempotency key was used for another quantity",
  },
  INTERNAL: { status: 500, title: "Internal error" },
  INVALID_CREDENTIALS: { status: 401, title: "The e-mail or the password is wrong" },
  LINK_INVALID: { status: 410, title: "The link was used or has expired: ask for a new one" },
  MALFORMED: { status: 400, title: "The request cannot be parsed" },
  METHOD_NOT_ALLOWED: { status: 405, title: "The resource does not support this method" },
  NOT_FOUND: { status: 404, title: "The resource does not exist" },
  OUTCOME_UNKNOWN: {
    status: 503,
    title: "The outcome is unknown: repeat the request with the same key",
  },
  PASSWORD_TOO_WEAK: { status: 422, title: "The password is too easy to guess" },
  PURCHASE_LIMIT_REACHED: {
    status: 409,
    title: "The limit of tickets per customer is reached",
  },
  REFRESH_TOKEN_INVALID: { status: 401, title: "The refresh token is not valid: sign in again" },
  SESSION_NOT_FOUND: { status: 404, title: "The session does not exist" },
  TICKET_NOT_FOUND: { status: 404, title: "The ticket does not exist" },
  TOKEN_EXPIRED: { status: 401, title: "The access token has expired" },
  TOO_LARGE: { status: 413, title: "The request is too large" },
  TOO_MANY_REQUESTS: { status: 429, title: "Too many requests: wait before the next one" },
  TRANSACTION_NOT_FOUND: { status: 404, title: "The transaction does not exist" },
  TRY_AGAIN: { status: 503, title: "Nothing was done: try again shortly" },
  UNAUTHENTICATED: { status: 401, title: "A valid access token is required" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: "Bodies must be application/json in UTF-8" },
  VALIDATION_ERROR: { status: 422, title: "The request does not match the contract" },
};

export const RETRY_AFTER_S = 1;

/** An HTTP reply. `flatHeaders`: all headers of a reply for many requests, see `replyForMany`. */
export type Reply = {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
  flatHeaders?: readonly string[];
};

/**
 * Builds an RFC 9457 problem document. `data` has facts for the client, which become members. It
 * never has a server's message or a value that the client sent.
 */
export function problemOf(
  code: ProblemCode,
  requestId: string | undefined,
  data?: RefusalData & { detail?: string },
): Reply {
  const { status, title } = PROBLEMS[code];
  const type = `urn:boxoffice:problem:${code.toLowerCase().replaceAll("_", "-")}`;
  const headers: Record<string, string> = {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
  };
  if (status === 401)
    headers["WWW-Authenticate"] =
      code === "TOKEN_EXPIRED" ? 'Bearer error="invalid_token"' : "Bearer";
  if (code === "TRY_AGAIN") headers["Retry-After"] = String(RETRY_AFTER_S);
  const standard = { type, title, status, code, requestId };
  // Twice: first for readers, last so that no fact replaces a standard member.
  return { status, headers, body: JSON.stringify({ ...standard, ...data, ...standard }) };
}

/** Headers of every response: page, API or error. The gateway adds HSTS over TLS. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "object-src 'none'",
};

/** Names and values in turn, as `writeHead` takes them without a copy. */
function flatten(headers: Readonly<Record<string, string>>): string[] {
  const flat: string[] = [];
  for (const name in headers) flat.push(name, headers[name] ?? "");
  return flat;
}

/** Node writes a string together with the head, so bodies up to this size go as Latin-1 text. */
const ONE_WRITE_MAX = 16_384;

/** Builds a reply that is sent many times: its headers are flattened once. */
export function replyForMany(
  status: number,
  headers: Record<string, string>,
  body: Uint8Array,
): Reply {
  const flatHeaders = flatten({
    ...SECURITY_HEADERS,
    ...headers,
    "Content-Length": String(body.length),
  });
  return { status, headers, body, flatHeaders };
}

/**
 * Sends a reply with one `writeHead` and one `end`, unless a response has begun. HEAD gets the
 * headers of GET. `own` are headers of this request, in addition to the reply's.
 */
export function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  own: Record<string, string> = {},
): void {
  if (response.headersSent) return;
  const { status, headers, body, flatHeaders } = reply;
  const bodiless = status === 204 || status === 304;
  if (flatHeaders !== undefined) response.writeHead(status, flatten(own).concat(flatHeaders));
  else {
    const length = bodiless ? undefined : { "Content-Length": String(Buffer.byteLength(body)) };
    response.writeHead(status, flatten({ ...SECURITY_HEADERS, ...own, ...headers, ...length }));
  }
  if (request.method === "HEAD" || bodiless) response.end();
  else if (
    typeof body === "string" ||
    body.length > ONE_WRITE_MAX ||
    !(response instanceof ServerResponse)
  )
    response.end(body);
  else
    response.end(
      Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1"),
      "latin1",
    );
}
