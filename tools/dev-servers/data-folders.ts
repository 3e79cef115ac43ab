import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { accountFor, canUse, type Account } from "./unix-account.ts";
import type { ServerName } from "./binaries.ts";
import { ServerProblem, folderProblem, type Report } from "./server-problem.ts";

/** Where one server lives: `folder` is ours (log, configuration, password), `dataFolder` below it is the account's. */
export type Place = { folder: string; dataFolder: string; account: Account | undefined };

const ACCOUNTS: Record<ServerName, readonly string[]> = {
  postgres: ["postgres", "nobody"],
  redis: ["redis", "nobody"],
  rabbitmq: ["rabbitmq", "nobody"],
  nats: ["nats", "nobody"],
};

/**
 * The folder for the servers of a DATA_DIR. As root they run as other users; where those cannot enter DATA_DIR, one line says
 * so and the folder is /var/lib/boxoffice-<hash of the path>, the same at each start.
 */
export function serversFolder(dataDir: string, report: Report): string {
  const wanted = resolve(dataDir);
  makeOurs(wanted, { keepMode: existsSync(wanted) });
  const strangers = Object.values(ACCOUNTS).map((names) => accountFor(join(wanted, "none"), names));
  if (strangers.every((account) => canUse(wanted, account, "enter")))
    return join(wanted, "servers");
  const instead = `/var/lib/boxoffice-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`;
  report(
    `the servers' users cannot enter ${wanted} (a closed parent folder), so their data is in ${instead}`,
  );
  return instead;
}

/** Makes the folders of one server and proves that its user can write there. */
export function makePlace(root: string, name: ServerName): Place {
  const folder = join(root, name);
  const dataFolder = join(folder, "data");
  const account = accountFor(dataFolder, ACCOUNTS[name]);
  for (const ours of [root, folder]) makeOurs(ours, { keepMode: false });
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    if (account !== undefined && statSync(dataFolder).uid !== account.uid)
      chownSync(dataFolder, account.uid, account.gid);
  } catch (error) {
    throw folderProblem(error, dataFolder);
  }
  if (!canUse(dataFolder, account, "write"))
    throw new ServerProblem(
      `The user ${account?.name ?? ""} cannot write ${dataFolder}: set DATA_DIR to another folder.`,
    );
  return { folder, dataFolder, account };
}

/** A temporary folder is closed to others as it is made; the servers' users must pass through it. Answers the same folder. */
export function openToServers(folder: string): string {
  makeOurs(folder, { keepMode: false });
  return folder;
}

/** Writes a file only the server's user (and root) can read, whole or not at all; it lies in our folder, so no link is followed. */
export function writeForServer(place: Place, name: string, text: string): string {
  const file = join(place.folder, name);
  try {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    if (place.account !== undefined) chownSync(`${file}.new`, place.account.uid, place.account.gid);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw folderProblem(error, place.folder);
  }
  return file;
}

/** The server's password: made once, kept beside its data, since a server remembers its own. */
export function keptPassword(place: Place): string {
  const file = join(place.folder, "password");
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (/^[0-9a-f]{32}$/.test(kept)) return kept;
  const made = randomBytes(16).toString("hex");
  writeForServer(place, "password", made);
  return made;
}

function makeOurs(folder: string, options: { keepMode: boolean }): void {
  try {
    mkdirSync(folder, { recursive: true });
    // Passable also under a strict umask: what is secret below has its own mode.
    if (!options.keepMode) chmodSync(folder, 0o755);
  } catch (error) {
    throw folderProblem(error, folder);
  }
}
