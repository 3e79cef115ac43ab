import type { RefusalCode } from "../../domain/refusal.ts";

/** The call never reached an action. */
const NOT_SENT = new Set(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE", "QUEUE_IS_FULL", "QUEUE_FULL", "REQUEST_SKIPPED"]);
/** The call may have been carried out, and its answer lost. */
const NOT_ANSWERED = new Set(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

/**
 * What a fault of the bus means to the client; undefined for a fault of our own. Judged by `type`: a class does not survive the bus, and
 * Moleculer's codes would make an outage a 404.
 */
export function refusalOfFault(error: unknown, kind: "ask" | "command"): RefusalCode | undefined {
  const type = (error as { type?: unknown } | undefined)?.type;
  if (typeof type !== "string") return undefined;
  if (NOT_SENT.has(type)) return "TRY_AGAIN";
  if (NOT_ANSWERED.has(type)) return kind === "command" ? "OUTCOME_UNKNOWN" : "TRY_AGAIN";
  return undefined;
}
