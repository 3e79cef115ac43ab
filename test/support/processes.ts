import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openToServers } from "../../tools/dev-servers/data-folders.ts";
import { startedAt } from "../../tools/dev-servers/process-identity.ts";

/** A folder under the system's temporary one that servers' users can enter, and its removal. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-try-")));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The servers that were started on a data folder, by the files they are remembered in; ask before they are stopped. */
export function rememberedServers(folder: string): { pid: number; started: string }[] {
  return globSync("**/process.json", { cwd: folder }).map(
    (file) =>
      JSON.parse(readFileSync(join(folder, file), "utf8")) as { pid: number; started: string },
  );
}

/** Those of them that still run. */
export function stillRunning(servers: readonly { pid: number; started: string }[]): number[] {
  return servers.filter(({ pid, started }) => startedAt(pid) === started).map(({ pid }) => pid);
}
