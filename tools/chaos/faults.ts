import { readdirSync } from "node:fs";
import type { Fault } from "./fault.ts";

const FOLDER = new URL("faults/", import.meta.url);

/**
 * Reads the faults (fNN-name.ts exports one as `fault`), sorted by number. `only` names some: F1,
 * F12. Throws for an unknown one.
 */
export async function readFaults(only: readonly string[] = []): Promise<Fault[]> {
  const files = readdirSync(FOLDER).filter((file) => /^f\d\d-[a-z-]+\.ts$/.test(file));
  const faults = await Promise.all(
    files
      .sort()
      .map(async (file) => ((await import(new URL(file, FOLDER).href)) as { fault: Fault }).fault),
  );
  const missing = only.filter((id) => !faults.some((fault) => fault.id === id));
  if (missing.length > 0)
    throw new Error(
      `There is no fault ${missing.join(", ")}; there are ${faults.map(({ id }) => id).join(", ")}`,
    );
  return only.length === 0 ? faults : faults.filter(({ id }) => only.includes(id));
}
