import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ConfigError, processEnvironment, readConfig } from "../../config/index.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { countPurchases, type Purchases } from "../../tools/backup/verify-restore.ts";
import { openBackups } from "../../tools/backup/private-server.ts";
import { type Restored, restoreInto } from "../../tools/backup/restore.ts";
import { lockDataDir, readEngineFile } from "../../tools/engine/engine-file.ts";
import { openToServers } from "../../tools/dev-servers/data-folders.ts";
import { messageOf, ServerProblem } from "../../tools/dev-servers/server-problem.ts";

const USAGE = `npm run restore -- --to TIME          the private PostgreSQL of a stopped engine goes back to TIME (2026-11-24T20:00:00Z); what was there is kept beside it
npm run restore -- --latest           the same, with all that was archived
npm run restore -- --drill [--to T]   tries it in a fresh server, beside a running engine, which is not touched; prints RPO and RTO
  --key-file FILE                     where the backups are encrypted
Exit code 0: restored, and nothing disagrees; 1: something does, or it could not be done.`;

const say = (line: string): void => console.log(`restore: ${line}`);

try {
  const { values } = parseArgs({
    options: {
      to: { type: "string" },
      latest: { type: "boolean" },
      drill: { type: "boolean" },
      "key-file": { type: "string" },
    },
  });
  const { to, latest = false, drill = false } = values;
  if (drill ? latest : (to !== undefined) === latest) throw new ServerProblem(USAGE);
  if (to !== undefined && Number.isNaN(Date.parse(to)))
    throw new ServerProblem(`${to} is no moment; give 2026-11-24T20:00:00Z`);
  const { dataDir } = readConfig(processEnvironment());
  const backups = await openBackups({ dataDir, keyFile: values["key-file"], report: say });
  if (drill) await tryIt(dataDir, to, (folder) => restoreInto(folder, backups, to, say));
  else {
    const unlock = lockDataDir(dataDir);
    try {
      const restored = await restoreInto(dataDir, backups, to, say);
      say(
        `${restored.backup} is in place, played to ${momentOf(restored)} (${restored.took}); ${restored.aside ?? "nothing"} is what stood there before`,
      );
      tell(restored);
    } finally {
      unlock();
    }
  }
} catch (error) {
  console.error(error instanceof ConfigError ? error.problems.join("\n") : messageOf(error));
  process.exitCode = 1;
}

/**
 * A server of its own gets the backup; nothing of it is left. Compared with the purchases that the running engine has, if one runs: with --to those
 * from before that moment, of which none may be missing; else all of them, of which the last may be, and that is the RPO.
 */
async function tryIt(
  dataDir: string,
  to: string | undefined,
  restore: (folder: string) => Promise<Restored>,
): Promise<void> {
  const live = readEngineFile(dataDir)?.urls.DATABASE_URL;
  const before = live === undefined ? undefined : await purchasesOf(live, to);
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-restore-")));
  try {
    const restored = await restore(folder);
    say(`${restored.backup} and the WAL after it, played to ${momentOf(restored)}`);
    if (before !== undefined) {
      const missing = before.count - restored.purchases;
      const seconds = Math.max(0, (before.newestMs ?? 0) - (restored.newestMs ?? 0)) / 1_000;
      say(
        `RPO: ${missing} of ${before.count} purchases${to === undefined ? "" : ` from before ${to}`} are missing, those of the last ${seconds.toFixed(1)} s`,
      );
      if (to !== undefined && missing !== 0) process.exitCode = 1;
    }
    say(`RTO: ${restored.took}, from nothing to a database that was reconciled`);
    tell(restored);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function purchasesOf(url: string, to: string | undefined): Promise<Purchases> {
  const database = openDatabase(url, "long");
  try {
    return await countPurchases(database, to);
  } finally {
    await database.close();
  }
}

function momentOf({ lastTransactionAt }: Restored): string {
  return lastTransactionAt === undefined
    ? "its own end: no WAL was needed"
    : `the transaction of ${lastTransactionAt.toISOString()}`;
}

function tell({ differences, purchases }: Restored): void {
  for (const difference of differences) say(difference);
  say(
    differences.length === 0
      ? `${purchases} purchases; ledger.reconcile finds nothing that disagrees`
      : `${differences.length} things disagree`,
  );
  if (differences.length > 0) process.exitCode = 1;
}
