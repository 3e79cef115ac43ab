import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import type { Config } from "../../config/index.ts";
import { writableUrl } from "../../lib/database/hosts.ts";
import { takeFullBackup } from "../backup/full-backup.ts";
import { openBackups } from "../backup/private-server.ts";
import { readApplied, setAside } from "../database/applied-migrations.ts";
import { labelOf } from "../database/migration-files.ts";
import { withClient } from "../database/with-client.ts";
import { makePlace, serversFolder } from "../dev-servers/data-folders.ts";
import { type Report, ServerProblem } from "../dev-servers/server-problem.ts";
import { startServers } from "../dev-servers/servers.ts";
import { lockDataDir } from "../engine/engine-file.ts";
import {
  checkOut,
  currentCommit,
  earlierCommit,
  hasFile,
  lastMigrationOf,
  newerCommit,
  type Revision,
} from "./repository.ts";

/** What an upgrade notes in DATA_DIR, for the way back. */
type Upgrade = { from: string; to: string; at: string; backup: string | undefined };

/** A release with this file starts on a newer database that only expands. */
const RULE = "tools/database/applied-migrations.ts";

const noteOf = (dataDir: string): string => join(dataDir, "upgrade.json");

/**
 * Backs the private PostgreSQL up, then checks newer code out. Throws a ServerProblem while an
 * engine runs on the data. `backup` false: PostgreSQL is not private, and was backed up otherwise.
 */
export async function upgrade(
  config: Config,
  wanted: { revision: string | undefined; backup: boolean },
  report: Report,
): Promise<Revision> {
  const { dataDir } = config;
  const unlock = lockDataDir(dataDir);
  try {
    const from = currentCommit();
    const to = newerCommit(from, wanted.revision);
    const at = new Date().toISOString();
    const backup = wanted.backup ? await backUp(config, report) : undefined;
    if (to.hash === from.hash) {
      report(`${to.name} is checked out already`);
      return to;
    }
    const note: Upgrade = { from: from.hash, to: to.hash, at, backup };
    writeFileSync(noteOf(dataDir), JSON.stringify(note, undefined, 2));
    checkOut(to, "forward");
    report(`the code is ${to.name}, it was ${from.name}; npx boxoffice rollback goes back`);
    return to;
  } finally {
    unlock();
  }
}

/**
 * Checks the code from before the last upgrade out, or an earlier commit. The database stays as it
 * is. Throws a ServerProblem if it has a migration beyond `expand` that the earlier code lacks.
 */
export async function rollback(
  config: Config,
  wanted: { revision: string | undefined },
  report: Report,
): Promise<Revision> {
  const { dataDir } = config;
  const unlock = lockDataDir(dataDir);
  try {
    const from = currentCommit();
    const last = readNote(dataDir);
    if (wanted.revision === undefined && last?.to !== from.hash)
      throw new ServerProblem(
        `No upgrade to ${from.name} is known: name the revision to go back to ` +
          "(npx boxoffice rollback REVISION).",
      );
    const to = earlierCommit(from, wanted.revision ?? last?.from ?? "");
    await withOwner(config, report, (url) =>
      withClient({ connectionString: url, application_name: "boxoffice rollback" }, (client) =>
        allow(client, to, last),
      ),
    );
    checkOut(to, "back");
    report(`the code is ${to.name}, it was ${from.name}; npx boxoffice upgrade goes forward`);
    return to;
  } finally {
    unlock();
  }
}

/** Throws a ServerProblem if the revision cannot run on the database. */
async function allow(client: Client, to: Revision, last: Upgrade | undefined): Promise<void> {
  const lastKnown = lastMigrationOf(to);
  const newer = [...(await readApplied(client))].filter(([version]) => version > lastKnown);
  const contraction = newer.find(([, { step }]) => step !== "expand");
  if (contraction !== undefined) {
    const [version, { name, step }] = contraction;
    const way =
      last?.backup === undefined
        ? "Restore a backup from before it."
        : `With the loss of what was sold since: npx boxoffice restore --to ${last.at}, then again.`;
    throw new ServerProblem(
      `${to.name} cannot run on this database: migration ${labelOf({ version, name })} ` +
        `${step === null ? "does not say that it only expands" : `says ${step}`}. ${way}`,
    );
  }
  if (newer.length > 0 && !hasFile(to, RULE)) await setAside(client, lastKnown);
}

/** Returns the backup's name; undefined where there is no data yet. */
async function backUp(config: Config, report: Report): Promise<string | undefined> {
  const { dataDir, databaseUrl } = config;
  if (databaseUrl !== undefined)
    throw new ServerProblem(
      "DATABASE_URL names a PostgreSQL that is not private. Back it up " +
        "(kubernetes/base/backup/backup.sh), then repeat this with --no-backup.",
    );
  return withOwner(config, report, async (url) => {
    const backups = await openBackups({ dataDir, report });
    const name = await takeFullBackup(backups, url);
    report(`${name} is complete`);
    return name;
  });
}

/** Works on the owner's database. Starts the private server for it, unless it has no data yet. */
async function withOwner<T>(
  { dataDir, databaseUrl, migrationDatabaseUrl }: Config,
  report: Report,
  work: (url: string) => Promise<T>,
): Promise<T | undefined> {
  if (databaseUrl !== undefined)
    return work(await writableUrl(migrationDatabaseUrl ?? databaseUrl));
  const { dataFolder } = makePlace(serversFolder(dataDir, report), "postgres");
  if (!existsSync(join(dataFolder, "cluster"))) return undefined;
  const servers = await startServers({ dataDir, only: ["postgres"], report, restart: false });
  try {
    return await work(servers.urls.DATABASE_URL ?? "");
  } finally {
    await servers.stop();
  }
}

function readNote(dataDir: string): Upgrade | undefined {
  const file = noteOf(dataDir);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Upgrade) : undefined;
}
