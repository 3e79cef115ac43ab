import type { REPLServer } from "node:repl";
import { COMMANDS, helpText } from "./commands.ts";
import { type Desk, Refused } from "./desk.ts";

const WORDS = [...COMMANDS.keys()];

/** Whether operators' commands know the line; `help` shows theirs and leaves the rest to Moleculer's. */
export async function runCommand(desk: Desk, line: string): Promise<boolean> {
  const [word = "", ...args] = line.trim().split(/\s+/);
  if (word === "help" && args.length === 0) desk.say(helpText());
  const command = COMMANDS.get(word);
  if (command === undefined) return false;
  try {
    await command.run(
      desk,
      args.filter((part) => part !== "--live"),
    );
  } catch (error) {
    desk.say(error instanceof Refused ? error.message : `It failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  return true;
}

/** Moleculer's completion, and ours before it. */
export function completing(server: REPLServer): void {
  const theirs = server.completer;
  Object.assign(server, {
    completer(line: string, done: (error: Error | null, result: [string[], string]) => void) {
      const ours = WORDS.filter((word) => word.startsWith(line));
      const theirAnswer = (theirs as (line: string) => [string[], string]).call(server, line);
      done(null, ours.length > 0 && line !== "" ? [[...ours, ...theirAnswer[0]], line] : theirAnswer);
    },
  });
}
