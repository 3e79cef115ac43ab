import type { ProblemCode } from "./types.ts";

/** `UNREACHABLE`: no answer came at all (offline, cut off, too late), so what was asked may or may not have been done. */
export type Code = ProblemCode | "UNREACHABLE";

/** An answer that is not a success, as the gateway words it: judged by `code`, shown in the reader's language. */
export class Problem extends Error {
  readonly code: Code;
  /** Of Retry-After, in milliseconds; undefined where none was sent. */
  readonly retryAfterMs: number | undefined;
  /** Members of the problem document beside the standard ones, and its `detail`. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: Code, retryAfterMs?: number, facts: Readonly<Record<string, unknown>> = {}) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.facts = facts;
  }
}

/** Reads an answer that is not a success. A proxy's own page, or a body cut short, is a server that is away. */
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

/** Anything that was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("UNREACHABLE");
}

/** Whether the same question may have a better answer in a moment. */
export function isPassing({ code }: Problem): boolean {
  return (
    code === "UNREACHABLE" ||
    code === "TRY_AGAIN" ||
    code === "OUTCOME_UNKNOWN" ||
    code === "TOO_MANY_REQUESTS" ||
    code === "INTERNAL"
  );
}
