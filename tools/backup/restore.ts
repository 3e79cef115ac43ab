import { copyFileSync, existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { makePlace, serversFolder } from "../dev-servers/data-folders.ts";
import { type Report, secondsSince, ServerProblem } from "../dev-servers/server-problem.ts";
import { startServers } from "../dev-servers/servers.ts";
import { type RestoreVerdict, verifyRestore } from "./verify-restore.ts";
import type { Backups } from "./private-server.ts";

/** As in kubernetes/base/backup/backup.sh. */
const DAMAGED_LOG =
  /checksum in record|record with in|invalid (?:magic|info|record|resource)|unexpected pageaddr/;

export type RestoreOptions = {
  /** The newest backup before this moment, played up to it. */
  to: string | undefined;
  /**
   * Also looks for damage: of the log that was replayed, and of every table and index (pg_amcheck),
   * which is as slow as reading all of them.
   */
  check: boolean;
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
 * Throws a ServerProblem if there is no such backup, or if the check finds damage.
 */
export async function restoreInto(
  dataDir: string,
  backups: Backups,
  { to, check, report }: RestoreOptions,
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
    if (check) {
      checkReplay(join(place.folder, "server.log"));
      await checkPages(backups, servers.urls.DATABASE_URL ?? "");
    }
    return { ...verdict, backup, took: secondsSince(began), aside };
  } finally {
    await servers.stop();
  }
}

/** PostgreSQL takes a record that it cannot read for the end of the log, and says so only there. */
function checkReplay(logFile: string): void {
  const line = readFileSync(logFile, "utf8")
    .split("\n")
    .find((text) => DAMAGED_LOG.test(text));
  if (line !== undefined) throw new ServerProblem(`The write-ahead log is damaged: ${line}`);
}

/** The password stays out of the list of processes. */
async function checkPages(backups: Backups, text: string): Promise<void> {
  const url = new URL(text);
  const { password } = url;
  url.password = "";
  await backups.run(["amcheck", url.href], { PGPASSWORD: password });
}
