/**
 * All expected refusals, by code. The list is closed: a code without a line in the gateway's table
 * does not compile.
 */
export const REFUSAL_CODES = [
  "CSRF_REFUSED",
  "EMAIL_TAKEN",
  "EVENT_CANCELLED",
  "EVENT_NOT_FOUND",
  "EVENT_OVER",
  "EVENT_POSTPONED",
  "EVENT_SOLD_OUT",
  "FORBIDDEN",
  "IDEMPOTENCY_KEY_REUSED",
  "INVALID_CREDENTIALS",
  "LINK_INVALID",
  "OUTCOME_UNKNOWN",
  "PASSWORD_TOO_WEAK",
  "PURCHASE_LIMIT_REACHED",
  "REFRESH_TOKEN_INVALID",
  "SESSION_NOT_FOUND",
  "TICKET_NOT_FOUND",
  "TOKEN_EXPIRED",
  "TOO_MANY_REQUESTS",
  "TRANSACTION_NOT_FOUND",
  "TRY_AGAIN",
  "UNAUTHENTICATED",
  "VALIDATION_ERROR",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/**
 * Facts that a client can act on, such as the tickets left. Never a server's message or a value
 * that the client sent.
 */
export type RefusalData = Record<
  string,
  string | number | boolean | readonly { field: string; rule: string }[]
>;

export type Refusal = { code: RefusalCode; data?: RefusalData };

/**
 * The answer of an action on the bus: plain JSON, so that remote and local callers read the same.
 * An expected refusal is a value with a code. Only faults are thrown.
 */
export type Answer<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export function accepted<T>(value: T): Answer<T> {
  return { ok: true, value };
}

export function refused(code: RefusalCode, data?: RefusalData): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: data === undefined ? { code } : { code, data } };
}
