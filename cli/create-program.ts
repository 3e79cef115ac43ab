import { Command, CommanderError, type OutputConfiguration } from "commander";
import { COMMANDS, type ListedCommand } from "./command-list.ts";

/** Exit code of an unknown option or argument, as of a shell's builtins. */
export const USAGE_ERROR = 2;

/** The exit code for what commander threw; undefined for any other error. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!(error instanceof CommanderError)) return undefined;
  return error.exitCode === 0 ? 0 : USAGE_ERROR;
}

/** Creates the command `boxoffice`. Only the subcommands that `isNeeded` names are imported. */
export async function createProgram(
  isNeeded: (command: ListedCommand) => boolean,
  output: OutputConfiguration = {},
): Promise<Command> {
  const program = new Command("boxoffice")
    .description("Boxoffice, a ticketing engine. Configured by variables: docs/configuration.md.")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .configureHelp({ subcommandTerm: termOf })
    .configureOutput({ ...output, outputError: (text, write) => write(oneLine(text)) })
    .exitOverride()
    .addHelpText("after", "\n`boxoffice COMMAND --help` describes a command.");
  program.action((_options: unknown, command: Command) => {
    if (command.args.length > 0) command.error(`error: unknown command '${command.args[0] ?? ""}'`);
    command.outputHelp();
  });
  program.allowExcessArguments();
  for (const listed of COMMANDS) {
    const { name, summary } = listed;
    const command = program.command(name).summary(summary).helpGroup(`${listed.group}:`);
    command.helpCommand(false).allowExcessArguments(false);
    if (isNeeded(listed)) (await listed.load()).define(command);
  }
  return program;
}

function oneLine(text: string): string {
  return `${text.trim().replaceAll(/\s*\n\s*/g, " ")} Add --help for usage.\n`;
}

/** Lists commands of the program by name; their arguments are not loaded. */
function termOf(command: Command): string {
  const args = command.registeredArguments.map((argument) =>
    argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`,
  );
  const isNested = command.parent?.parent !== null;
  return isNested ? command.name() + args.join("") : command.name();
}
