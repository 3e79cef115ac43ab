import { openDatabase } from "../../lib/database/pool.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";
import type { Backups } from "./private-server.ts";

/**
 * Makes a full backup of the private PostgreSQL, which runs, and returns its name. From then on the
 * WAL is archived too. Throws a ServerProblem where the server cannot archive.
 */
export async function takeFullBackup(backups: Backups, url: string): Promise<string> {
  const database = openDatabase(url, "long");
  try {
    const [mode] = await database.query<{ archive_mode: string }>({ text: "SHOW archive_mode" });
    if (mode?.archive_mode !== "on")
      throw new ServerProblem(
        "The running PostgreSQL cannot archive its WAL: stop the engine and start it again.",
      );
    // Before the backup: it needs the WAL that is written meanwhile.
    backups.archiveFromNow();
    const name = await backups.run(["full"], { DATABASE_URL: url });
    await database.query({ text: "SELECT pg_switch_wal()" });
    return name;
  } finally {
    await database.close();
  }
}
