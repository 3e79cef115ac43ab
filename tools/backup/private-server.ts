import { execFile } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
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

/** The script that also runs in the cluster; it lies beside the backups, since the server's user may not enter this folder. */
const SCRIPT = fileURLToPath(new URL("../../kubernetes/base/backup/backup.sh", import.meta.url));
const WITHIN_MS = 3_600_000;

export type Backups = {
  place: Place;
  /** Of the server's data. */
  cluster: string;
  /** Runs one command of the script as the server's user; answers what it prints. Throws a ServerProblem with its words. */
  run(args: readonly string[], more?: Record<string, string>): Promise<string>;
  /** From now on the server gives each finished WAL file to the archive. */
  archiveFromNow(): void;
};

export type BackupOptions = {
  dataDir: string;
  /** Encrypts what is written; must be readable for the server's user. */
  keyFile?: string | undefined;
  report: (line: string) => void;
};

/** The backups of the private PostgreSQL of a DATA_DIR: in the folder `backups` beside the servers' own. */
export async function openBackups({ dataDir, keyFile, report }: BackupOptions): Promise<Backups> {
  const root = serversFolder(dataDir, report);
  const place = makePlace(root, "postgres");
  const { postgres = "" } = await provideBinaries(["postgres"], report);
  const folder = join(root, "backups");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const script = join(folder, "backup.sh");
  cpSync(SCRIPT, script);
  for (const ours of [folder, script]) {
    if (place.account !== undefined) chownSync(ours, place.account.uid, place.account.gid);
    chmodSync(ours, 0o700);
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
          timeout: WITHIN_MS,
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
