import { type IncomingMessage, ServerResponse } from "node:http";
import type { RefusalCode, RefusalData } from "../../domain/refusal.ts";

/** What only HTTP itself can refuse with; everything else is a refusal of the domain. */
type HttpCode =
  | "INTERNAL"
  | "MALFORMED"
  | "METHOD_NOT_ALLOWED"
  | "NOT_FOUND"
  | "TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE";

export type ProblemCode = RefusalCode | HttpCode;

/** Each word of the contract's closed list with its answer; a refusal without a line here does not compile. */
export const PROBLEMS: Readonly<Record<ProblemCode, { status: number; title: string }>> = {
  CSRF_REFUSED: { status: 403, title: "Only this site's own pages may do this" },
  EMAIL_TAKEN: { status: 409, title: "There is an account with this e-mail already" },
  EVENT_NOT_FOUND: { status: 404, title: "There is no such event" },
  EVENT_OVER: { status: 409, title: "The event has started" },
  EVENT_SOLD_OUT: { status: 409, title: "Not enough tickets left" },
  FORBIDDEN: { status: 403, title: "You may not do this" },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: "The idempotency key belongs to a purchase of another quantity",
  },
  INTERNAL: { status: 500, title: "Something went wrong on our side" },
  INVALID_CREDENTIALS: { status: 401, title: "E-mail or password is wrong" },
  MALFORMED: { status: 400, title: "The request cannot be read" },
  METHOD_NOT_ALLOWED: { status: 405, title: "This address does not take this method" },
  NOT_FOUND: { status: 404, title: "There is nothing at this address" },
  OUTCOME_UNKNOWN: {
    status: 503,
    title: "It is not known whether this was done: ask again with the same key",
  },
  PASSWORD_TOO_WEAK: { status: 422, title: "The password would be guessed" },
  PURCHASE_LIMIT_REACHED: {
    status: 409,
    title: "More tickets of this event than one customer may hold",
  },
  REFRESH_TOKEN_INVALID: { status: 401, title: "Sign in again" },
  SESSION_NOT_FOUND: { status: 404, title: "There is no such session" },
  TICKET_NOT_FOUND: { status: 404, title: "There is no such ticket" },
  TOKEN_EXPIRED: { status: 401, title: "The access token has expired" },
  TOO_LARGE: { status: 413, title: "The request is too large" },
  TOO_MANY_REQUESTS: { status: 429, title: "Too much at once: wait a little" },
  TRANSACTION_NOT_FOUND: { status: 404, title: "There is no such transaction" },
  TRY_AGAIN: { status: 503, title: "Nothing was done: try again shortly" },
  UNAUTHENTICATED: { status: 401, title: "A valid access token is needed" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: "Bodies must be application/json in UTF-8" },
  VALIDATION_ERROR: { status: 422, title: "The request is not as the contract says" },
};

export const RETRY_AFTER_S = 1;

/** An HTTP response, ready to send. `flatHeaders`: all headers of a response that is sent many times, see `replyForMany`. */
export type Reply = {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
  flatHeaders?: readonly string[];
};

/**
 * An RFC 9457 problem document. `data` holds facts a client can act on, which become members of the document; it never holds
 * a message of a server or a value the client sent.
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
  // Twice: first for people, who read from the top; last, so that no fact can take a standard member's place.
  return { status, headers, body: JSON.stringify({ ...standard, ...data, ...standard }) };
}

/** What every answer says, page, API or error. The gateway adds HSTS where the way from the client is TLS. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
};

/** Names and values in turn, the form in which `writeHead` copies nothing. */
function flatten(headers: Readonly<Record<string, string>>): string[] {
  const flat: string[] = [];
  for (const name in headers) flat.push(name, headers[name] ?? "");
  return flat;
}

/** Node writes a text together with the head, and bytes in a second write: up to this size, bytes are sent as Latin-1 text. */
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
 * Sends a response once, with one `writeHead` and one `end`. HEAD gets the headers of GET. A response that has begun is left alone.
 * `own`: headers of this request rather than of the reply. Given here and not by `setHeader`, all are written in one go.
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
