import type { REPLServer } from "node:repl";
import { COMMANDS, helpText } from "./commands.ts";
import { type OperatorSession, Refused } from "./operator-session.ts";

/** Each command's first word, and with it what is written out in its words: `cache flush`, but no ID or FILE. */
const WORDS = [...COMMANDS].flatMap(([first, { words }]) => [
  first,
  ...[...words.matchAll(/(?<=[ [])(?:--)?[a-z]+/g)].map(([second]) => `${first} ${second}`),
]);

/** Whether operators' commands know the line; `help` shows theirs and leaves the rest to Moleculer's. */
export async function runCommand(session: OperatorSession, line: string): Promise<boolean> {
  const [word = "", ...args] = line.trim().split(/\s+/);
  if (word === "help" && args.length === 0) session.print(helpText());
  const command = COMMANDS.get(word);
  if (command === undefined) return false;
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

/** Moleculer's completion, and ours before it; where it knows nothing it would show all of its commands. */
export function completing(server: REPLServer): void {
  // Whatever it is given, readline makes it one that answers by a callback.
  const theirs = server.completer as unknown as Complete;
  Object.assign(server, {
    completer(line: string, done: Parameters<Complete>[1]) {
      const ours = WORDS.filter(
        (word) => word.startsWith(line) && word.includes(" ") === line.includes(" "),
      );
      theirs.call(server, line, (error, answer) => {
        done(
          error,
          ours.length > 0 && line !== ""
            ? [[...ours, ...answer[0].filter((hit) => hit.startsWith(line))], line]
            : answer,
        );
      });
    },
  });
}
