import type { ChildProcess } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { writeEngineFile } from "../../../tools/engine/engine-file.ts";
import type { Engine } from "../engine.ts";
import { waitFor } from "../wait-for.ts";
import { BOXOFFICE, runBoxoffice, startProgram } from "./boxoffice.ts";

/** Runs a program in a pseudo-terminal. Part of util-linux, which every Debian has. */
const SCRIPT = "script";

/** A person at a terminal. */
export type Typist = {
  /** Sends keys: `\r` is Enter, `\t` completes. */
  type(keys: string): void;
  /** Waits until the output since the last call matches. */
  reads(words: RegExp): Promise<void>;
  /** All that the screen has shown. */
  screen(): string;
  /** Leaves with `q`. Returns the exit code. */
  leave(): Promise<number | null>;
};

export type Repl = {
  /** Sends all lines through a pipe and waits for the end. */
  piped: (
    lines: string[],
    more?: Record<string, string>,
    options?: string[],
  ) => Promise<{ code: number | null; output: string; errors: string }>;
  /** Opens a terminal. With an answer, waits for the question before it and gives it. */
  typist(options?: string, answer?: { question: RegExp; keys: string }): Promise<Typist>;
  /** Ends open terminals and removes the engine's file. */
  close(): void;
};

/** Runs `npx boxoffice repl` on that engine. */
export function replOf(engine: Engine): Repl {
  const { dataDir, namespace } = engine.config;
  const terminals = new Set<ChildProcess>();
  const forget = writeEngineFile(dataDir, {
    nodeId: "node-1",
    address: undefined,
    urls: engine.environment,
    prometheusUrl: undefined,
  });
  // The history file goes to the home folder.
  const environment = { DATA_DIR: dataDir, BUS_NAMESPACE: namespace, HOME: dataDir };

  return {
    close() {
      for (const terminal of terminals) terminal.kill("SIGKILL");
      forget();
    },
    async piped(lines, more = {}, options = []) {
      const { code, out, error } = await runBoxoffice(
        { ...environment, ...more },
        ["repl", ...options],
        lines.map((line) => `${line}\n`).join(""),
      );
      return { code, output: stripVTControlCharacters(out), errors: error };
    },
    async typist(options = "", answer) {
      const inside = { ...environment, TERM: "xterm", PATH: "/usr/bin:/bin", SHELL: "/bin/sh" };
      const { child, said, ended } = startProgram(
        [SCRIPT, "-qefc", `'${process.execPath}' '${BOXOFFICE}' repl ${options}`, "/dev/null"],
        inside,
      );
      terminals.add(child);
      child.once("close", () => terminals.delete(child));
      const output = (): string => stripVTControlCharacters(said());
      let from = 0;
      const reads = async (words: RegExp): Promise<void> => {
        const found = await waitFor(() => words.exec(output().slice(from)), {
          withinMs: 20_000,
          what: `${String(words)} is on the screen`,
        }).catch((error: unknown) => {
          throw new Error(`${String(error)}; there is ${output().slice(from)}`);
        });
        from += found.index + found[0].length;
      };
      if (answer !== undefined) {
        await reads(answer.question);
        child.stdin.write(answer.keys);
      }
      await reads(/boxoffice \$ /);
      return {
        reads,
        screen: output,
        type: (keys) => void child.stdin.write(keys),
        leave() {
          child.stdin.write("q\r");
          return ended;
        },
      };
    },
  };
}
