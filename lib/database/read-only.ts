import type { Client } from "pg";

/** pg's query function: a text or statement, perhaps values, perhaps a callback, else a promise. */
export type Ask = (first: unknown, ...rest: unknown[]) => unknown;

/** SQLSTATE read_only_sql_transaction: a standby, or a primary that was told to write nothing. */
const READ_ONLY = "25006";

/**
 * Ends a session whose server takes no writes: the pool validates a connection before it is used,
 * and opens another one, perhaps to another server.
 */
export function leavingReadOnly(client: Client, ask: Ask): Ask {
  const look = (error: unknown): void => {
    if (error instanceof Error && "code" in error && error.code === READ_ONLY)
      void client.end().catch(() => undefined);
  };
  return (first, ...rest) => {
    const callback = rest.at(-1);
    if (typeof callback === "function")
      rest[rest.length - 1] = (error: unknown, ...more: unknown[]) => {
        look(error);
        (callback as (...all: unknown[]) => void)(error, ...more);
      };
    const answer = ask(first, ...rest);
    if (answer instanceof Promise) answer.catch(look);
    return answer;
  };
}
