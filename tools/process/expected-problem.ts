/** By name, so that the command line need not load the modules of these classes. */
const EXPECTED = new Set(["ConfigError", "ServerProblem", "MigrationError"]);

/**
 * Codes of a server that cannot be reached, and of PostgreSQL's refusals to connect: wrong user or
 * password, unknown database, too many connections, starting or stopping (PostgreSQL, appendix A).
 */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "28000",
  "28P01",
  "3D000",
  "53300",
  "57P01",
  "57P03",
]);

/** The message of a problem that the person can mend; undefined for a fault of the program. */
export function expectedMessage(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (EXPECTED.has(error.name)) return error.message;
  // Sequelize wraps the driver's error.
  const { code, message } = (error.cause ?? Reflect.get(error, "parent") ?? error) as {
    code?: unknown;
    message: string;
  };
  if (!UNREACHABLE.has(String(code))) return undefined;
  return `A server cannot be reached (is it running, is its URL right?): ${message || String(code)}`;
}
