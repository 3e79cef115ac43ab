import { type Answer, refused } from "../../domain/refusal.ts";
import { isServerError } from "./pool.ts";

/** What arrives while PostgreSQL is away is told so within a second, also where PostgreSQL is frozen and says nothing. */
const PATIENCE_TIMEOUT_MS = 900;

/** SQLSTATE classes of a server that answers but cannot serve now: resources (53), operator's intervention (57), a lock waited for too long. */
const NOT_NOW = /^(?:53...|57...|55P03)$/;

/**
 * True where a statement through Sequelize failed because PostgreSQL is away, starting, full or too slow, rather than because the statement is wrong.
 * A read may then be answered TRY_AGAIN.
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
 * The answer of a read, or TRY_AGAIN where PostgreSQL cannot give it now: a read changes nothing, so that is the truth at any moment. What writes and may
 * safely be asked again can take it too, with more patience.
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

/** What pg and the socket under it say when the answer never comes. */
function isConnectionError(error: Error & { code?: unknown }): boolean {
  const code = typeof error.code === "string" ? error.code : "";
  return (
    /^(?:08...|57P..|E[A-Z]{3,})$/.test(code) ||
    /^(?:Connection terminated|Query read timeout|timeout e|Client has)/i.test(error.message)
  );
}
