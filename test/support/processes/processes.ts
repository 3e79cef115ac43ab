import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openToServers } from "../../../tools/dev-servers/data-folders.ts";
import { startedAt } from "../../../tools/dev-servers/process-identity.ts";

/** Makes a temporary folder that servers' users can enter. `remove` deletes it. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-try-")));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Reads the pid files of the servers of a data folder. Call it before they stop. */
export function rememberedServers(folder: string): { pid: number; started: string }[] {
  return globSync("**/process.json", { cwd: folder }).map(
    (file) =>
      JSON.parse(readFileSync(join(folder, file), "utf8")) as { pid: number; started: string },
  );
}

/** Returns those of them that still run. */
export function stillRunning(servers: readonly { pid: number; started: string }[]): number[] {
  return servers.filter(({ pid, started }) => startedAt(pid) === started).map(({ pid }) => pid);
}
