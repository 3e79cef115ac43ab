/** By name, so that the command line need not load the modules of these classes. */
const EXPECTED = new Set(["ConfigError", "ServerProblem", "MigrationError"]);

/** The message of a problem that the person can mend; undefined for a fault of the program. */
export function expectedMessage(error: unknown): string | undefined {
  return error instanceof Error && EXPECTED.has(error.name) ? error.message : undefined;
}
