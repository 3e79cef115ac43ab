import { type Answer, refused } from "../../../domain/refusal.ts";

/** The result of one try. `not-sent`: no action ran. `lost`: one may have run, unanswered. */
export type CallResult<T> =
  { type: "answered"; answer: Answer<T> } | { type: "not-sent" } | { type: "lost" };

/** The call never reached an action. */
const NOT_SENT = new Set([
  "SERVICE_NOT_FOUND",
  "SERVICE_NOT_AVAILABLE",
  "QUEUE_IS_FULL",
  "QUEUE_FULL",
  "REQUEST_SKIPPED",
]);
/** The action may have run, and its answer was lost. */
const NOT_ANSWERED = new Set(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

/**
 * Classifies a fault of the bus, with the node it was sent to if known; undefined for a fault of a
 * service. Judges by `type`: a class does not survive the bus, and Moleculer's code for an outage
 * is 404.
 */
function classifyCallError(error: unknown): (CallResult<never> & { nodeId?: string }) | undefined {
  const { type, data } = (error ?? {}) as { type?: unknown; data?: unknown };
  if (typeof type !== "string") return undefined;
  if (NOT_SENT.has(type)) return { type: "not-sent", ...nodeIn(data) };
  if (NOT_ANSWERED.has(type)) return { type: "lost", ...nodeIn(data) };
  if (type === "VALIDATION_ERROR")
    return { type: "answered", answer: refused("VALIDATION_ERROR", { errors: brokenRules(data) }) };
  return undefined;
}

/** Turns a fault of the bus into a result, with the node if known. Rejects with other faults. */
export async function settledCall<T>(
  call: Promise<Answer<T>>,
): Promise<CallResult<T> & { nodeId?: string }> {
  try {
    return { type: "answered", answer: await call };
  } catch (error) {
    const result = classifyCallError(error);
    if (result === undefined) throw error;
    return result;
  }
}

function nodeIn(data: unknown): { nodeId?: string } {
  const { nodeID } = (data ?? {}) as { nodeID?: unknown };
  return typeof nodeID === "string" ? { nodeId: nodeID } : {};
}

/** A service may be stricter than the contract. Its report has values, which are left out. */
function brokenRules(data: unknown): { field: string; rule: string }[] {
  if (!Array.isArray(data)) return [];
  return (data as { field?: unknown; type?: unknown }[]).map(({ field, type }) => ({
    field: String(field),
    rule: String(type),
  }));
}
