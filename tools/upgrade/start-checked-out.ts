import { join } from "node:path";
import { ServerProblem } from "../dev-servers/server-problem.ts";
import { ROOT } from "../root.ts";

/**
 * Starts the engine of the code that is checked out now, in place of this process, whose modules
 * are of another revision. Keeps terminal, pid and environment.
 */
export function startCheckedOut(): never {
  if (process.execve === undefined)
    throw new ServerProblem("This system cannot replace a process: run npm start.");
  const launcher = join(ROOT, "cli", "boxoffice.mjs");
  return process.execve(process.execPath, [process.execPath, launcher, "start"]);
}
