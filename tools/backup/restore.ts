import { copyFileSync, existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { makePlace, serversFolder } from "../dev-servers/data-folders.ts";
import { secondsSince, type Report } from "../dev-servers/server-problem.ts";
import { startServers } from "../dev-servers/servers.ts";
import { type Judgement, judge } from "./verify-restore.ts";
import type { Backups } from "./private-server.ts";

export type Restored = Judgement & {
  /** The full backup it began with. */
  backup: string;
  /** From nothing to a database that was reconciled. */
  took: string;
  /** Where the data is that stood there before. */
  aside: string | undefined;
};

/**
 * Puts the newest backup from before `to` (or the newest) in place of the PostgreSQL of `dataDir`, plays the WAL up to that moment (or its end), has it
 * reconciled by a ledger of its own, and stops it again. What stood there is moved aside. Throws a ServerProblem where there is no such backup.
 */
export async function restoreInto(
  dataDir: string,
  backups: Backups,
  to: string | undefined,
  report: Report,
): Promise<Restored> {
  const began = performance.now();
  const place = makePlace(serversFolder(dataDir, report), "postgres");
  const cluster = join(place.dataFolder, "cluster");
  // The server remembers its own password.
  if (place.folder !== backups.place.folder)
    copyFileSync(join(backups.place.folder, "password"), join(place.folder, "password"));
  const fresh = `${cluster}.restored`;
  const backup = await backups.run(["restore", fresh, ...(to === undefined ? [] : [to])]);
  const aside = existsSync(cluster)
    ? `${cluster}.before-${new Date().toISOString().replaceAll(/[-:.]/g, "")}`
    : undefined;
  if (aside !== undefined) renameSync(cluster, aside);
  renameSync(fresh, cluster);
  const servers = await startServers({
    dataDir,
    only: ["postgres", "redis", "nats"],
    report: () => undefined,
    restart: false,
  });
  try {
    const judgement = await judge(servers, dataDir);
    return { ...judgement, backup, took: secondsSince(began), aside };
  } finally {
    await servers.stop();
  }
}
