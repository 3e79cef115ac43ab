import { type Answer, refused } from "../../domain/refusal.ts";
import { withTimeout } from "../concurrency/with-timeout.ts";
import { isServerError } from "./pool.ts";

/** Callers get an answer within a second while PostgreSQL is down or frozen. */
const PATIENCE_TIMEOUT_MS = 900;

/**
 * SQLSTATE classes of a server that cannot serve now: resources (53), operator intervention (57),
 * lock time-out (55P03).
 */
const NOT_NOW = /^(?:53...|57...|55P03)$/;

/**
 * True if a statement failed because PostgreSQL is down, starting, full or too slow, and not
 * because it is wrong. A read may then be answered with TRY_AGAIN.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name.startsWith("SequelizeConnection") || error.name === "SequelizeTimeoutError")
    return true;
  const original = (error as { original?: unknown }).original;
  const cause =
    error.name === "SequelizeDatabaseError" && original instanceof Error ? original : error;
  return isServerError(cause)
    ? NOT_NOW.test(cause.code)
    : cause !== error || isConnectionError(cause);
}

/**
 * Runs a read, or refuses with TRY_AGAIN if PostgreSQL does not answer in time. Always true for a
 * read, which changes nothing. Idempotent writes may use it with a longer `patienceMs`.
 */
export async function orRetryLater<T>(
  read: () => Promise<Answer<T>>,
  patienceMs = PATIENCE_TIMEOUT_MS,
): Promise<Answer<T>> {
  try {
    return (await withTimeout(read(), patienceMs)) ?? refused("TRY_AGAIN");
  } catch (error) {
    if (isUnavailable(error)) return refused("TRY_AGAIN");
    throw error;
  }
}

/** Matches what pg and its socket report if no answer comes. */
function isConnectionError(error: Error & { code?: unknown }): boolean {
  const code = typeof error.code === "string" ? error.code : "";
  return (
    /^(?:08...|57P..|E[A-Z]{3,})$/.test(code) ||
    /^(?:Connection terminated|Query read timeout|timeout e|Client has)/i.test(error.message)
  );
}
