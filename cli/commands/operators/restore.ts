import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { processEnvironment, readConfig } from "../../../config/index.ts";
import { openDatabase } from "../../../lib/database/pool.ts";
import { openBackups } from "../../../tools/backup/private-server.ts";
import { type Restored, restoreInto } from "../../../tools/backup/restore.ts";
import { countPurchases, type Purchases } from "../../../tools/backup/verify-restore.ts";
import { openToServers } from "../../../tools/dev-servers/data-folders.ts";
import { lockDataDir, readEngineFile } from "../../../tools/engine/engine-file.ts";
import { examples, exiting, valueOf } from "../../options.ts";

type Options = { to?: string; latest?: boolean; drill?: boolean; keyFile?: string };

const print = (line: string): void => console.log(`restore: ${line}`);

export function define(command: Command): void {
  command
    .description(
      "Restores the private PostgreSQL of a stopped engine; the data that it replaces is kept " +
        "beside it. With --drill, tries that in a temporary server beside a running engine and " +
        "prints RPO and RTO, and checks every table and index (pg_amcheck). Exit code 0: " +
        "restored, and nothing differs.",
    )
    .option(
      "--to <time>",
      "a moment, as 2026-11-24T20:00:00Z",
      valueOf((text) => (Number.isNaN(Date.parse(text)) ? undefined : text), "a moment"),
    )
    .option("--latest", "all that was archived")
    .option("--drill", "try it, change nothing")
    .option("--key-file <file>", "the key of encrypted backups")
    .addHelpText(
      "after",
      examples(
        ["restore --drill", "beside a running engine"],
        ["restore --to 2026-11-24T20:00:00Z", "the engine stopped"],
      ),
    )
    .action(exiting((options: Options) => runRestore(options, command)));
}

async function runRestore(options: Options, command: Command): Promise<number> {
  const { to, latest = false, drill: isDrill = false, keyFile } = options;
  if (isDrill ? latest : (to !== undefined) === latest)
    command.error("error: give one of --to TIME, --latest and --drill (which takes --to)");
  const { dataDir } = readConfig(processEnvironment());
  const backups = await openBackups({ dataDir, keyFile, report: print });
  const restore = (folder: string): Promise<Restored> =>
    restoreInto(folder, backups, { to, check: isDrill, report: print });
  if (isDrill) return (await drill(dataDir, to, restore)) ? 0 : 1;
  const unlock = lockDataDir(dataDir);
  try {
    const restored = await restore(dataDir);
    print(
      `${restored.backup} is in place, played to ${momentOf(restored)} (${restored.took}); ` +
        `the data from before is in ${restored.aside ?? "no folder: there was none"}`,
    );
    return printResult(restored) ? 0 : 1;
  } finally {
    unlock();
  }
}

/**
 * Restores into a temporary server and compares with the purchases of the running engine, if one
 * runs. With `to`, no purchase from before that moment may be missing. Without, the last ones may
 * be, and that is the RPO.
 */
async function drill(
  dataDir: string,
  to: string | undefined,
  restore: (folder: string) => Promise<Restored>,
): Promise<boolean> {
  const live = readEngineFile(dataDir)?.urls.DATABASE_URL;
  const expected = live === undefined ? undefined : await purchasesOf(live, to);
  let complete = true;
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-restore-")));
  try {
    const restored = await restore(folder);
    print(`${restored.backup} and the WAL after it, played to ${momentOf(restored)}`);
    if (expected !== undefined) {
      const missing = expected.count - restored.purchases;
      const seconds = Math.max(0, (expected.newestMs ?? 0) - (restored.newestMs ?? 0)) / 1_000;
      print(
        `RPO: ${missing} of ${expected.count} purchases${to === undefined ? "" : ` from before ${to}`} ` +
          `are missing, those of the last ${seconds.toFixed(1)} s`,
      );
      complete = to === undefined || missing === 0;
    }
    print(`RTO: ${restored.took}, from an empty folder to a reconciled database`);
    return printResult(restored) && complete;
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

/** Returns whether nothing differs. */
function printResult({ differences, purchases }: Restored): boolean {
  for (const difference of differences) print(difference);
  print(
    differences.length === 0
      ? `${purchases} purchases; ledger.reconcile finds no difference`
      : `${differences.length} differences`,
  );
  return differences.length === 0;
}
