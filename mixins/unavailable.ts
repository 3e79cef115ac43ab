import { isServerError } from "./database.ts";

/** SQLSTATE classes of a server that answers but cannot serve now: resources (53), operator's intervention (57), a lock waited for too long. */
const NOT_NOW = /^(?:53...|57...|55P03)$/;

/**
 * True where a statement through Sequelize failed because PostgreSQL is away, starting, full or too slow, rather than because the statement is wrong.
 * A read may then be answered TRY_AGAIN.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name.startsWith("SequelizeConnection") || error.name === "SequelizeTimeoutError") return true;
  const original = (error as { original?: unknown }).original;
  if (error.name === "SequelizeDatabaseError" && original instanceof Error) {
    return isServerError(original) ? NOT_NOW.test(original.code) : true;
  }
  return false;
}
