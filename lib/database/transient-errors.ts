import { type Answer, refused } from "../../domain/refusal.ts";
import { isServerError } from "./pool.ts";

/** Time-out of reads while PostgreSQL is down or frozen: the answer comes within a second. */
const PATIENCE_TIMEOUT_MS = 900;

/**
 * SQLSTATE classes of a server that cannot serve now: resources, operator intervention, lock
 * time-out.
 */
const NOT_NOW = /^(?:53...|57...|55P03)$/;

/**
 * Tells whether PostgreSQL is down, starting, full or too slow, so the statement itself may be
 * right. A read may then be answered TRY_AGAIN.
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
 * Returns a read's answer, or TRY_AGAIN if PostgreSQL cannot give it now. Also for idempotent
 * writes, with a longer time-out.
 */
export async function orRetryLater<T>(
  read: () => Promise<Answer<T>>,
  patienceMs = PATIENCE_TIMEOUT_MS,
): Promise<Answer<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer<T>>(
    (resolve) => (timer = setTimeout(() => resolve(refused("TRY_AGAIN")), patienceMs)),
  );
  try {
    return await Promise.race([read(), late]);
  } catch (error) {
    if (isUnavailable(error)) return refused("TRY_AGAIN");
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Errors of pg and its socket that mean the answer never came. */
function isConnectionError(error: Error & { code?: unknown }): boolean {
  const code = typeof error.code === "string" ? error.code : "";
  return (
    /^(?:08...|57P..|E[A-Z]{3,})$/.test(code) ||
    /^(?:Connection terminated|Query read timeout|timeout e|Client has)/i.test(error.message)
  );
}
