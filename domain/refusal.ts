/** Every expected no, by its word. Closed: the gateway's table of answers must have a line for each, or it does not compile. */
export const REFUSAL_CODES = [
  "CSRF_REFUSED",
  "EMAIL_TAKEN",
  "EVENT_NOT_FOUND",
  "EVENT_OVER",
  "EVENT_SOLD_OUT",
  "FORBIDDEN",
  "IDEMPOTENCY_KEY_REUSED",
  "INVALID_CREDENTIALS",
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

/** Facts a client can act on (for example what is left); never a message of a server, never a value the client sent. */
export type RefusalData = Record<
  string,
  string | number | boolean | readonly { field: string; rule: string }[]
>;

export type Refusal = { code: RefusalCode; data?: RefusalData };

/**
 * What actions answer on the bus: plain JSON, so that a remote caller reads the same as a local one.
 * An expected no is a value with a word; only faults are thrown.
 */
export type Answer<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export function accepted<T>(value: T): Answer<T> {
  return { ok: true, value };
}

export function refused(code: RefusalCode, data?: RefusalData): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: data === undefined ? { code } : { code, data } };
}
