import { execFile } from "node:child_process";
import { chmodSync, chownSync, cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeFolder } from "../../config/make-folder.ts";
import { processEnvironment } from "../../config/index.ts";
import { provideBinaries } from "../dev-servers/packages.ts";
import {
  makePlace,
  type Place,
  serversFolder,
  writeForServer,
} from "../dev-servers/data-folders.ts";
import { archiveHook } from "../dev-servers/postgres.ts";
import { ServerProblem } from "../dev-servers/server-problem.ts";

/**
 * Script that also runs in the cluster. Copied beside the backups, because the server's user may
 * not enter the project's folder.
 */
const SCRIPT = fileURLToPath(new URL("../../kubernetes/base/backup/backup.sh", import.meta.url));
const COMMAND_TIMEOUT_MS = 3_600_000;

export type Backups = {
  place: Place;
  /** Data directory of the server. */
  cluster: string;
  /**
   * Runs a command of the script as the server's user and returns its output. Throws a
   * ServerProblem with the script's message.
   */
  run(args: readonly string[], more?: Record<string, string>): Promise<string>;
  /** Makes the server archive each finished WAL file from now on. */
  archiveFromNow(): void;
};

export type BackupOptions = {
  dataDir: string;
  /** Key file for encryption. The server's user must be able to read it. */
  keyFile?: string | undefined;
  report: (line: string) => void;
};

/**
 * Opens the backups of DATA_DIR's private PostgreSQL, in the folder `backups` beside the servers'
 * folders.
 */
export async function openBackups({ dataDir, keyFile, report }: BackupOptions): Promise<Backups> {
  const root = serversFolder(dataDir, report);
  const place = makePlace(root, "postgres");
  const { postgres = "" } = await provideBinaries(["postgres"], report);
  const folder = join(root, "backups");
  makeFolder(folder, 0o700);
  const script = join(folder, "backup.sh");
  cpSync(SCRIPT, script);
  for (const path of [folder, script]) {
    if (place.account !== undefined) chownSync(path, place.account.uid, place.account.gid);
    chmodSync(path, 0o700);
  }
  const settings = {
    BACKUPS: folder,
    ...(keyFile === undefined ? {} : { BACKUP_KEY_FILE: keyFile }),
  };
  const as = place.account === undefined ? {} : { uid: place.account.uid, gid: place.account.gid };
  const env = {
    PATH: `${dirname(postgres)}:${processEnvironment().PATH ?? "/usr/bin:/bin"}`,
    LC_ALL: "C.UTF-8",
    HOME: place.dataFolder,
    ...settings,
  };
  return {
    place,
    cluster: join(place.dataFolder, "cluster"),
    async run(args, more = {}) {
      try {
        const { stdout } = await promisify(execFile)("bash", [script, ...args], {
          env: { ...env, ...more },
          cwd: "/",
          timeout: COMMAND_TIMEOUT_MS,
          ...as,
        });
        return stdout.trim();
      } catch (error) {
        throw new ServerProblem(
          String((error as { stderr?: string }).stderr ?? error).trim() ||
            `backup.sh ${args[0]} failed`,
        );
      }
    },
    archiveFromNow() {
      const lines = [
        ...Object.entries(settings).map(([name, value]) => `export ${name}=${quoted(value)}`),
        `exec bash ${quoted(script)} archive "$1" "$2"`,
        "",
      ];
      writeForServer(place, archiveHook("."), lines.join("\n"));
    },
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
