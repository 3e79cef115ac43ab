import { join } from "node:path";
import type { Command } from "commander";
import { dataDirOf, presentValues, processEnvironment } from "../../../config/environment.ts";
import { databaseUrlsOf } from "../../../config/index.ts";
import { openDatabase } from "../../../lib/database/pool.ts";
import { ServerProblem } from "../../../tools/dev-servers/server-problem.ts";
import { readEngineFile } from "../../../tools/engine/engine-file.ts";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { expireSales } from "../../../tools/retention/expire-sales.ts";
import { rotateAudit } from "../../../tools/retention/rotate-audit.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

/** Ten years from the end of the calendar year. */
const SALES_YEARS = 11;
const AUDIT_DAYS = 400;

type Options = { salesYears: number; auditDays: number; dryRun?: boolean };

export function define(command: Command): void {
  command
    .description(
      "Deletes tickets and ledger rows of events that are long over, in small parts, and rotates " +
        "the audit trail. May be interrupted and repeated; run it daily. Exit code 1: an event has " +
        "expired, but its books do not agree, so it was left. See docs/retention.md.",
    )
    .option(
      "--sales-years <years>",
      "how long tickets and ledger rows are kept after the event",
      wholeNumber(1, 100),
      SALES_YEARS,
    )
    .option(
      "--audit-days <days>",
      "how long rotated audit files are kept",
      wholeNumber(1, 36_500),
      AUDIT_DAYS,
    )
    .option("--dry-run", "only say what would be deleted")
    .addHelpText("after", examples(["retention --dry-run", "what would be deleted"]))
    .action(exiting((options: Options) => runToExit((abort) => retain(options, abort))));
}

async function retain(options: Options, signal: AbortSignal): Promise<number> {
  const { salesYears, dryRun = false } = options;
  // A job has no secrets, so this needs no complete configuration.
  const environment = processEnvironment();
  const { DATABASE_URL } = databaseUrlsOf(environment);
  const dataDir = dataDirOf(environment);
  const url = DATABASE_URL ?? readEngineFile(dataDir)?.urls.DATABASE_URL;
  if (url === undefined)
    throw new ServerProblem(
      `Set DATABASE_URL, or start the engine: none runs with its data in ${dataDir}.`,
    );
  retainAudit(dataDir, presentValues(environment), options);
  const database = openDatabase(url, "long");
  try {
    const report = console.log;
    const { events, tickets, ledgerRows, left } = await expireSales({
      database,
      years: salesYears,
      dryRun,
      report,
      signal,
    });
    report(
      `${dryRun ? "would delete" : "deleted"} ${tickets} tickets and ${ledgerRows} ledger rows ` +
        `of ${events} events, left ${left} events`,
    );
    return left === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}

function retainAudit(
  dataDir: string,
  { AUDIT_FILE, NODE_ENV }: Record<string, string>,
  { auditDays: keepDays, dryRun = false }: Options,
): void {
  const file = AUDIT_FILE ?? (NODE_ENV === "production" ? undefined : join(dataDir, "audit.log"));
  if (file === undefined)
    return console.log("audit trail: standard output, which your log collector keeps and deletes");
  const { rotated, deleted } = rotateAudit(file, { keepDays, dryRun, nowMs: Date.now() });
  const would = dryRun ? "would have " : "";
  if (rotated !== undefined) console.log(`${would}moved the audit trail to ${rotated}`);
  for (const old of deleted) console.log(`${would}deleted ${old}`);
}
