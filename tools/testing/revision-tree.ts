import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { git } from "../documents/revision.ts";
import { ROOT } from "../root.ts";

/**
 * The revision that runs beside this one in F23: what was deployed before notifications, upgrades
 * and failover. Set it to the last release's tag once there is one.
 */
export const EARLIER_REVISION = "d697503a0a9ee486267263fb6eb8cda6c642759d";

/** Why this clone has no earlier revision; undefined if it has it. */
export function lacksRevision(revision: string): string | undefined {
  if (git("cat-file", "-e", `${revision}^{commit}`) !== undefined) return undefined;
  return (
    `this clone lacks revision ${revision.slice(0, 10)}: it is shallow, or no git repository ` +
    "(git fetch --unshallow)"
  );
}

/**
 * Checks a revision out to a folder, with its packages: this tree's where they are the same ones,
 * installed otherwise. Rejects where git does not know it.
 */
export function openTree(revision: string, folder: string, report: (line: string) => void): void {
  execFileSync("git", ["worktree", "add", "--quiet", "--detach", folder, revision], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (hasPackagesOf(folder)) {
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    return;
  }
  report("its packages differ: installing them");
  const older = join("scripts", "install.mjs");
  const install = existsSync(join(folder, older))
    ? [older]
    : [join("cli", "boxoffice.mjs"), "--help"];
  execFileSync(process.execPath, install, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

/** Removes the folder. Does nothing where openTree has failed. */
export function closeTree(folder: string): void {
  spawnSync("git", ["worktree", "remove", "--force", folder], { cwd: ROOT });
}

/** Whether this tree has every package of another one, in the same version. */
function hasPackagesOf(folder: string): boolean {
  const [wanted, present] = [folder, ROOT].map((root) => {
    const lock = readFileSync(join(root, "package-lock.json"), "utf8");
    return (JSON.parse(lock) as { packages: Record<string, { version?: string }> }).packages;
  });
  return Object.entries(wanted ?? {}).every(
    ([path, { version }]) => path === "" || present?.[path]?.version === version,
  );
}
