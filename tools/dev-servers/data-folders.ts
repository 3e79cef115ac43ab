import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { makeFolder } from "../../config/make-folder.ts";
import { accountFor, canUse, type Account } from "./unix-account.ts";
import type { ServerName } from "./binaries.ts";
import { ServerProblem, folderProblem, type Report } from "./server-problem.ts";

/** The folders of one server: `folder` belongs to this user, `dataFolder` to the account. */
export type Place = { folder: string; dataFolder: string; account: Account | undefined };

const ACCOUNTS: Record<ServerName, readonly string[]> = {
  postgres: ["postgres", "nobody"],
  redis: ["redis", "nobody"],
  rabbitmq: ["rabbitmq", "nobody"],
  nats: ["nats", "nobody"],
};

/**
 * Returns the folder for the servers of a DATA_DIR. Started by root, servers run as other users.
 * Where those cannot enter DATA_DIR, reports it and uses /var/lib/boxoffice-<hash of the path>.
 */
export function serversFolder(dataDir: string, report: Report): string {
  const wanted = resolve(dataDir);
  openFolder(wanted, { keepMode: existsSync(wanted) });
  const accounts = Object.values(ACCOUNTS).map((names) => accountFor(join(wanted, "none"), names));
  if (accounts.every((account) => canUse(wanted, account, "enter"))) return join(wanted, "servers");
  const fallback = `/var/lib/boxoffice-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`;
  report(
    `the servers' users cannot enter ${wanted} (a closed parent folder), so their data is in ${fallback}`,
  );
  return fallback;
}

/** Creates the folders of one server and checks that its user can write. */
export function makePlace(root: string, name: ServerName): Place {
  const folder = join(root, name);
  const dataFolder = join(folder, "data");
  const account = accountFor(dataFolder, ACCOUNTS[name]);
  for (const path of [root, folder]) openFolder(path, { keepMode: false });
  try {
    makeFolder(dataFolder, 0o700);
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

/** Opens a temporary folder to the servers' users, who must pass through it. Returns it. */
export function openToServers(folder: string): string {
  openFolder(folder, { keepMode: false });
  return folder;
}

/** Writes a file that only the server's user can read, completely or not at all. */
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

/** Copies a certificate and its key for the server's user, as tls.crt and tls.key. */
export function tlsForServer(
  place: Place,
  { certFile, keyFile }: { certFile: string; keyFile: string },
): { certFile: string; keyFile: string } {
  const copy = (name: string, file: string): string =>
    writeForServer(place, name, readFileSync(file, "utf8"));
  return { certFile: copy("tls.crt", certFile), keyFile: copy("tls.key", keyFile) };
}

/** Returns a password of the server, generated once and kept beside its data. */
export function keptPassword(place: Place, name = "password"): string {
  const file = join(place.folder, name);
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (/^[0-9a-f]{32}$/.test(kept)) return kept;
  const made = randomBytes(16).toString("hex");
  writeForServer(place, name, made);
  return made;
}

function openFolder(folder: string, options: { keepMode: boolean }): void {
  try {
    makeFolder(folder);
    // Also under a strict umask; secret files in it have a mode of their own.
    if (!options.keepMode) chmodSync(folder, 0o755);
  } catch (error) {
    throw folderProblem(error, folder);
  }
}
