// The program behind cli/boxoffice.mjs, on the pinned Node: reads the command line, runs one
// command.
import { expectedMessage } from "../tools/process/expected-problem.ts";
import { COMMANDS } from "./command-list.ts";
import { createProgram, exitCodeOf } from "./create-program.ts";

const [word] = process.argv.slice(2);

try {
  const program = await createProgram(({ name }) => name === word);
  await program.parseAsync();
} catch (error) {
  process.exit(exitCodeOf(error) ?? reportFailure(error));
}

/** Prints what the person can mend without a stack trace. */
function reportFailure(error: unknown): number {
  const listed = COMMANDS.find(({ name }) => name === word);
  if (listed?.group === "Development" && isMissingModule(error))
    console.error(`boxoffice ${listed.name} needs a checkout of the project; an image has none.`);
  else console.error(expectedMessage(error) ?? error);
  return 1;
}

function isMissingModule(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}
