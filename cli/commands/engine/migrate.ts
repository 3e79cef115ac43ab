import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { databaseUrlsOf, processEnvironment } from "../../../config/index.ts";
import { MigrationError, migrate, readMigrations } from "../../../tools/database/migrations.ts";
import { SCHEMA_FILE, dumpSchema } from "../../../tools/database/schema-dump.ts";
import { openToServers } from "../../../tools/dev-servers/data-folders.ts";
import { startServers } from "../../../tools/dev-servers/servers.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Applies the migrations that the database does not have yet, by the role of " +
        "MIGRATION_DATABASE_URL, or of DATABASE_URL. Creates the roles of DATABASE_URL and " +
        "BACKUP_DATABASE_URL if they are missing, and gives each what it needs.",
    )
    .option("--dump", "write migrations/schema.sql from a fresh database instead")
    .addHelpText("after", examples(["migrate", "`npx boxoffice start` does this by itself"]))
    .action(exiting(({ dump }: { dump?: boolean }) => (dump ? dumpToFile() : migrateDatabase())));
}

async function migrateDatabase(): Promise<number> {
  const urls = databaseUrlsOf(processEnvironment());
  const { DATABASE_URL: engine, BACKUP_DATABASE_URL: backup } = urls;
  const owner = urls.MIGRATION_DATABASE_URL ?? engine;
  if (owner === undefined)
    throw new MigrationError(
      "DATABASE_URL is missing. `npx boxoffice start` migrates its private server by itself.",
    );
  const roles = { engine, backup };
  const applied = await migrate(owner, readMigrations(), { report: console.log, roles });
  console.log(
    applied.length === 0 ? "The database is up to date." : `Applied ${applied.join(", ")}.`,
  );
  return 0;
}

async function dumpToFile(): Promise<number> {
  const folder = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-dump-")));
  const servers = await startServers({
    dataDir: folder,
    only: ["postgres"],
    report: () => undefined,
    restart: false,
    throwaway: true,
  });
  try {
    const url = servers.urls.DATABASE_URL ?? "";
    await migrate(url);
    writeFileSync(SCHEMA_FILE, await dumpSchema(url));
    console.log("Wrote migrations/schema.sql.");
    return 0;
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
