import { type IncomingMessage, ServerResponse } from "node:http";
import type { RefusalCode, RefusalData } from "../../domain/refusal.ts";

/** What only HTTP itself can refuse with; everything else is a refusal of the domain. */
type HttpCode = "INTERNAL" | "MALFORMED" | "METHOD_NOT_ALLOWED" | "NOT_FOUND" | "TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE";

export type ProblemCode = RefusalCode | HttpCode;

/** Each word of the contract's closed list with its answer; a refusal without a line here does not compile. */
export const PROBLEMS: Readonly<Record<ProblemCode, { status: number; title: string }>> = {
  CSRF_REFUSED: { status: 403, title: "Only this site's own pages may do this" },
  EMAIL_TAKEN: { status: 409, title: "There is an account with this e-mail already" },
  EVENT_NOT_FOUND: { status: 404, title: "There is no such event" },
  EVENT_OVER: { status: 409, title: "The event has started" },
  EVENT_SOLD_OUT: { status: 409, title: "Not enough tickets left" },
  FORBIDDEN: { status: 403, title: "You may not do this" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: "The idempotency key belongs to a purchase of another quantity" },
  INTERNAL: { status: 500, title: "Something went wrong on our side" },
  INVALID_CREDENTIALS: { status: 401, title: "E-mail or password is wrong" },
  MALFORMED: { status: 400, title: "The request cannot be read" },
  METHOD_NOT_ALLOWED: { status: 405, title: "This address does not take this method" },
  NOT_FOUND: { status: 404, title: "There is nothing at this address" },
  OUTCOME_UNKNOWN: { status: 503, title: "It is not known whether this was done: ask again with the same key" },
  PASSWORD_TOO_WEAK: { status: 422, title: "The password would be guessed" },
  PURCHASE_LIMIT_REACHED: { status: 409, title: "More tickets of this event than one customer may hold" },
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

/** An answer, ready to send. `spelled`: of one that is sent to many, the lines of its head and its body (see `replyForMany`). */
export type Reply = { status: number; headers: Record<string, string>; body: string | Uint8Array; spelled?: Uint8Array };

/**
 * An RFC 9457 problem document. `data` holds facts a client can act on, which become members of the document; it never holds
 * a message of a server or a value the client sent.
 */
export function problemOf(code: ProblemCode, requestId: string | undefined, data?: RefusalData & { detail?: string }): Reply {
  const { status, title } = PROBLEMS[code];
  const type = `urn:boxoffice:problem:${code.toLowerCase().replaceAll("_", "-")}`;
  const headers: Record<string, string> = { "Content-Type": "application/problem+json", "Cache-Control": "no-store" };
  if (status === 401) headers["WWW-Authenticate"] = code === "TOKEN_EXPIRED" ? 'Bearer error="invalid_token"' : "Bearer";
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
  "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
};

/** Headers as HTTP/1.1 writes them. */
export function linesOf(headers: Readonly<Record<string, string | number | readonly string[]>>): string {
  let lines = "";
  for (const name in headers) lines += `${name}: ${String(headers[name])}\r\n`;
  return lines;
}

const ONE_WRITE_MAX = 16_384;
const SECURITY_LINES = linesOf(SECURITY_HEADERS);

/** A reply that is sent to many: what is the same for all is spelled out once. */
export function replyForMany(status: number, headers: Record<string, string>, body: Uint8Array): Reply {
  const head = Buffer.from(`${linesOf(headers)}${SECURITY_LINES}Content-Length: ${body.length}\r\n\r\n`, "latin1");
  const spelled = Buffer.concat([head, body]);
  return { status, headers, body: spelled.subarray(head.length), spelled };
}

/** What sends an answer as it is spelled out: after a status line and these headers the rest, which is lines, an empty one, and the body. */
export type SpelledSender = {
  sendSpelled(status: number, own: Record<string, string>, rest: string | Uint8Array, encoding: "latin1" | "utf8"): void;
};

/**
 * Sends an answer once; HEAD gets the headers of GET. An answer that has begun already is left alone. `own`: headers of the request rather than of the
 * answer. Given here and not by `setHeader`, all are written in one go.
 */
export function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body, spelled }: Reply,
  own: Record<string, string> = {},
): void {
  if (response.headersSent) return;
  const bodiless = status === 204 || status === 304;
  const length = spelled === undefined ? Buffer.byteLength(body) : body.length;
  const asEver =
    request.method !== "HEAD" && (spelled !== undefined || typeof body === "string") && !("Content-Security-Policy" in headers);
  if (asEver && "sendSpelled" in response) {
    const rest = spelled ?? `${SECURITY_LINES}${bodiless ? "" : `Content-Length: ${length}\r\n`}\r\n${bodiless ? "" : String(body)}`;
    // In ASCII, which Latin-1 spells alike and without looking.
    const encoding = length === body.length ? "latin1" : "utf8";
    (response as SpelledSender).sendSpelled(status, spelled === undefined ? { ...own, ...headers } : own, rest, encoding);
    return;
  }
  response.writeHead(status, { ...SECURITY_HEADERS, ...own, ...headers, ...(bodiless ? {} : { "Content-Length": length }) });
  if (request.method === "HEAD" || bodiless) response.end();
  else if (typeof body === "string" || length > ONE_WRITE_MAX || !(response instanceof ServerResponse)) response.end(body);
  // Node's own writes a text together with the head, but bytes after it, in a second piece; Latin-1 spells each byte as it is.
  else response.end(Buffer.from(body.buffer, body.byteOffset, length).toString("latin1"), "latin1");
}
