import { globSync } from "node:fs";
import { basename } from "node:path";
import type { Fault } from "./fault.ts";

const FOLDER = new URL("faults/", import.meta.url);

/**
 * Reads the faults (fNN-name.ts exports one as `fault`), also of subfolders, sorted by number.
 * `only` names some: F1, F12. Throws for an unknown one.
 */
export async function readFaults(only: readonly string[] = []): Promise<Fault[]> {
  const files = globSync("**/f[0-9][0-9]-*.ts", { cwd: FOLDER.pathname });
  const faults = await Promise.all(
    files
      .sort((one, other) => (basename(one) < basename(other) ? -1 : 1))
      .map(async (file) => ((await import(new URL(file, FOLDER).href)) as { fault: Fault }).fault),
  );
  const missing = only.filter((id) => !faults.some((fault) => fault.id === id));
  if (missing.length > 0)
    throw new Error(
      `There is no fault ${missing.join(", ")}; there are ${faults.map(({ id }) => id).join(", ")}`,
    );
  return only.length === 0 ? faults : faults.filter(({ id }) => only.includes(id));
}
