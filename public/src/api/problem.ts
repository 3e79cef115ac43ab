import type { ProblemCode } from "./types.ts";

/** `UNREACHABLE`: no answer came, so the outcome of the request is unknown. */
export type Code = ProblemCode | "UNREACHABLE";

/** A problem document (RFC 9457) of the gateway. Texts are chosen by `code`. */
export class Problem extends Error {
  readonly code: Code;
  /** Retry-After in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** All members of the problem document. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: Code, retryAfterMs?: number, facts: Readonly<Record<string, unknown>> = {}) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.facts = facts;
  }
}

/** Reads an error response. A proxy's error page or a truncated body means UNREACHABLE. */
export function problemOf(response: Response, body: unknown): Problem {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const facts = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const code =
    typeof facts.code === "string"
      ? (facts.code as Code)
      : response.status >= 500
        ? "UNREACHABLE"
        : "INTERNAL";
  return new Problem(code, Number.isFinite(seconds) ? seconds * 1_000 : undefined, facts);
}

/** Converts anything thrown into a Problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("UNREACHABLE");
}

/** Whether a retry of the same request may succeed. */
export function isRetryable({ code }: Problem): boolean {
  return (
    code === "UNREACHABLE" ||
    code === "TRY_AGAIN" ||
    code === "OUTCOME_UNKNOWN" ||
    code === "TOO_MANY_REQUESTS" ||
    code === "INTERNAL"
  );
}
