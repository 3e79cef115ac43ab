import { type ChildProcessByStdio, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { type Environment, processEnvironment } from "../../../config/index.ts";
import { ROOT } from "../../../tools/root.ts";

/** The command line's launcher, run as `process.execPath BOXOFFICE import FILE`. */
export const BOXOFFICE = join(ROOT, "cli", "boxoffice.mjs");

export type Started = {
  child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Its output so far, both streams. */
  said: () => string;
  out: () => string;
  error: () => string;
  /** Resolves to its exit code, null after a signal. */
  ended: Promise<number | null>;
};
export type Ended = { code: number | null; out: string; error: string };

/** Where the processes of a run keep compiled code. */
const { NODE_COMPILE_CACHE } = processEnvironment();

/** Starts a program, by default in the project's folder. */
export function startProgram(
  [program, ...args]: readonly [string, ...string[]],
  environment: Environment,
  options: SpawnOptions = {},
): Started {
  const child = spawn(program, args, {
    cwd: ROOT,
    ...options,
    env: { NODE_COMPILE_CACHE, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [said, out, error] = ["", "", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    error += text;
  });
  // A program that ends early does not read its input.
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, said: () => said, out: () => out, error: () => error, ended };
}

/** Runs a command of boxoffice to its end, with `input` through a pipe. */
export async function runBoxoffice(
  environment: Environment,
  words: readonly string[],
  input = "",
): Promise<Ended> {
  const command = startProgram([process.execPath, BOXOFFICE, ...words], environment);
  command.child.stdin.end(input);
  const code = await command.ended;
  return { code, out: command.out(), error: command.error() };
}
