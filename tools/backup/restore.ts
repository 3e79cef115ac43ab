import { copyFileSync, existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { makePlace, serversFolder } from "../dev-servers/data-folders.ts";
import { secondsSince, type Report } from "../dev-servers/server-problem.ts";
import { startServers } from "../dev-servers/servers.ts";
import { type RestoreVerdict, verifyRestore } from "./verify-restore.ts";
import type { Backups } from "./private-server.ts";

export type RestoreOptions = {
  /** The newest backup before this moment, played up to it. */
  to: string | undefined;
  /** Also checks every table and index (pg_amcheck): as slow as reading all of them. */
  amcheck: boolean;
  report: Report;
};

export type Restored = RestoreVerdict & {
  /** The full backup that the restore started from. */
  backup: string;
  /** Duration of restore and reconciliation. */
  took: string;
  /** Folder of the previous data, if there was any. */
  aside: string | undefined;
};

/**
 * Replaces the PostgreSQL of `dataDir` by the newest backup, or the newest before `to`. Plays
 * the WAL up to `to` or its end, reconciles, and stops the server. Moves the previous data aside.
 * Throws a ServerProblem if there is no such backup, or if pg_amcheck finds damage.
 */
export async function restoreInto(
  dataDir: string,
  backups: Backups,
  { to, amcheck, report }: RestoreOptions,
): Promise<Restored> {
  const began = performance.now();
  const place = makePlace(serversFolder(dataDir, report), "postgres");
  const cluster = join(place.dataFolder, "cluster");
  // The restored server keeps its old password.
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
    const verdict = await verifyRestore(servers, dataDir);
    if (amcheck) await checkPages(backups, servers.urls.DATABASE_URL ?? "");
    return { ...verdict, backup, took: secondsSince(began), aside };
  } finally {
    await servers.stop();
  }
}

/** The password stays out of the list of processes. */
async function checkPages(backups: Backups, text: string): Promise<void> {
  const url = new URL(text);
  const { password } = url;
  url.password = "";
  await backups.run(["amcheck", url.href], { PGPASSWORD: password });
}
