import type { Binaries, ProgramName } from "../../../tools/dev-servers/binaries.ts";
import { provideBinaries } from "../../../tools/dev-servers/packages.ts";
import { ServerProblem } from "../../../tools/dev-servers/server-problem.ts";

/** Installs a program like the project's servers. Returns the reason if it cannot. */
export async function provideProgram(name: ProgramName): Promise<Partial<Binaries> | string> {
  try {
    return await provideBinaries([name], () => undefined);
  } catch (error) {
    if (error instanceof ServerProblem) return error.message;
    throw error;
  }
}
