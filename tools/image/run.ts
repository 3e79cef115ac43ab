import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ServerProblem } from "../dev-servers/server-problem.ts";

const LAST_LINES = 15;

/** Runs a program to its end and returns its output. Throws its last lines where it fails. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 1 << 28 });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & Record<string, string>;
    const lines = `${stdout}\n${stderr}`.trim().split("\n").slice(-LAST_LINES).join("\n");
    throw new ServerProblem(`${program} ${args[0]} failed: ${lines || message}`);
  }
}
