import type { REPLServer } from "node:repl";
import { COMMANDS, helpText } from "./commands.ts";
import { type OperatorSession, Refused } from "./operator-session.ts";

/** The first word of each command, and its literal second words: `sales --live`, but no ID. */
const WORDS = [...COMMANDS].flatMap(([first, { words }]) => [
  first,
  ...[...words.matchAll(/(?<=[ [])(?:--)?[a-z]+/g)].map(([second]) => `${first} ${second}`),
]);

const HELP = new Set(["--help", "-h"]);

/**
 * Runs an operator's command, or shows its help (`sales --help`, `help sales`). Returns false for
 * other lines. `help` alone also runs Moleculer's.
 */
export async function runCommand(session: OperatorSession, line: string): Promise<boolean> {
  const [word = "", ...args] = line.trim().split(/\s+/);
  if (word === "help" && args.length === 0) session.print(helpText());
  const command = COMMANDS.get(word === "help" ? (args[0] ?? "") : word);
  if (command === undefined) return false;
  if (word === "help" || args.some((part) => HELP.has(part))) {
    session.print(`${command.words}\n  ${command.help}`);
    return true;
  }
  try {
    await command.run(
      session,
      args.filter((part) => part !== "--live"),
    );
  } catch (error) {
    session.print(
      error instanceof Refused
        ? error.message
        : `It failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return true;
}

type Complete = (
  line: string,
  done: (error: Error | null, answer: [string[], string]) => void,
) => void;

/**
 * Completes operators' commands before Moleculer's, which shows all commands for an unknown word.
 */
export function completing(server: REPLServer): void {
  // readline turns any completer into one with a callback.
  const completeMoleculer = server.completer as unknown as Complete;
  Object.assign(server, {
    completer(line: string, done: Parameters<Complete>[1]) {
      const matches = WORDS.filter(
        (word) => word.startsWith(line) && word.includes(" ") === line.includes(" "),
      );
      completeMoleculer.call(server, line, (error, answer) => {
        done(
          error,
          matches.length > 0 && line !== ""
            ? [[...matches, ...answer[0].filter((hit) => hit.startsWith(line))], line]
            : answer,
        );
      });
    },
  });
}
