import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { requireServers } from "../../../config/index.ts";
import { writeEngineFile } from "../../../tools/engine/engine-file.ts";
import type { Engine } from "../engine.ts";
import { waitFor } from "../wait-for.ts";
import { BOXOFFICE } from "./boxoffice.ts";

/** Runs a program in a pseudo-terminal. Part of util-linux, which every Debian has. */
const SCRIPT = "script";

export type Said = { code: number | null; output: string; errors: string };

/** A person at a terminal. */
export type Typist = {
  /** Sends keys: `\r` is Enter, `\t` completes. */
  type(keys: string): void;
  /** Waits until the output since the last call matches. */
  reads(words: RegExp): Promise<void>;
  /** Leaves with `q`. Returns the exit code. */
  leave(): Promise<number | null>;
};

export type Repl = {
  /** Sends all lines through a pipe and waits for the end. */
  piped: (lines: string[], more?: Record<string, string>, options?: string[]) => Promise<Said>;
  typist(): Promise<Typist>;
  /** Ends open terminals and removes the engine's file. */
  close(): void;
};

/** Runs `npx boxoffice repl` on that engine. */
export function replOf(engine: Engine): Repl {
  const { databaseUrl, redisUrl, amqpUrl, transporter } = requireServers(engine.config);
  const urls = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    AMQP_URL: amqpUrl,
    TRANSPORTER: transporter,
  };
  const { dataDir, namespace } = engine.config;
  const terminals = new Set<ChildProcessWithoutNullStreams>();
  const forget = writeEngineFile(dataDir, {
    nodeId: "node-1",
    address: undefined,
    urls,
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
      const child = spawn(process.execPath, [BOXOFFICE, "repl", ...options], {
        env: { ...environment, ...more },
      });
      let errors = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
      const output = readOutput(child);
      child.stdin.on("error", () => undefined).end(lines.map((line) => `${line}\n`).join(""));
      const [code] = (await once(child, "close")) as [number | null];
      return { code, output: output(), errors };
    },
    async typist() {
      const inside = { ...environment, TERM: "xterm", PATH: "/usr/bin:/bin", SHELL: "/bin/sh" };
      const child = spawn(
        SCRIPT,
        ["-qefc", `'${process.execPath}' '${BOXOFFICE}' repl`, "/dev/null"],
        {
          env: inside,
        },
      );
      terminals.add(child);
      child.once("close", () => terminals.delete(child));
      const output = readOutput(child);
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
      await reads(/boxoffice \$ /);
      return {
        reads,
        type: (keys) => void child.stdin.write(keys),
        async leave() {
          const ended = once(child, "close");
          child.stdin.write("q\r");
          const [code] = (await ended) as [number | null];
          return code;
        },
      };
    },
  };
}

function readOutput(child: ChildProcessWithoutNullStreams): () => string {
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  return () => stripVTControlCharacters(output);
}
