import type { Refusal } from "../../domain/refusal.ts";

/** The call never reached an action. */
const NOT_SENT = new Set(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE", "QUEUE_IS_FULL", "QUEUE_FULL", "REQUEST_SKIPPED"]);
/** The call may have been carried out, and its answer lost. */
const NOT_ANSWERED = new Set(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

/**
 * What a fault of the bus means to the client; undefined for a fault of our own. Judged by `type`: a class does not survive the bus, and
 * Moleculer's codes would make an outage a 404.
 */
export function refusalOfFault(error: unknown, kind: "ask" | "command"): Refusal | undefined {
  const { type, data } = (error ?? {}) as { type?: unknown; data?: unknown };
  if (typeof type !== "string") return undefined;
  if (NOT_SENT.has(type)) return { code: "TRY_AGAIN" };
  if (NOT_ANSWERED.has(type)) return { code: kind === "command" ? "OUTCOME_UNKNOWN" : "TRY_AGAIN" };
  if (type === "VALIDATION_ERROR") return { code: "VALIDATION_ERROR", data: { errors: brokenRules(data) } };
  return undefined;
}

/** A service's own rules may be stricter than the contract's schema. Its report holds the values as well: they stay here. */
function brokenRules(data: unknown): { field: string; rule: string }[] {
  if (!Array.isArray(data)) return [];
  return (data as { field?: unknown; type?: unknown }[]).map(({ field, type }) => ({ field: String(field), rule: String(type) }));
}
