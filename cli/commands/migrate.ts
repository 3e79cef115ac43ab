import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnvironment } from "../../config/index.ts";
import { MigrationError, migrate } from "../../tools/database/migrations.ts";
import { SCHEMA_FILE, dumpSchema } from "../../tools/database/schema-dump.ts";
import { messageOf } from "../../tools/dev-servers/server-problem.ts";
import { openToServers } from "../../tools/dev-servers/data-folders.ts";
import { startServers } from "../../tools/dev-servers/servers.ts";

/** `npm run migrate`: migrates DATABASE_URL. With --dump: writes migrations/schema.sql from a fresh database of a private server. */
async function main(): Promise<void> {
  if (process.argv.includes("--dump")) return dump();
  const { DATABASE_URL } = processEnvironment();
  if (!DATABASE_URL)
    throw new MigrationError(
      "DATABASE_URL is missing. `npm start` migrates its private server by itself.",
    );
  const applied = await migrate(DATABASE_URL);
  console.log(
    applied.length === 0 ? "The database is up to date." : `Applied ${applied.join(", ")}.`,
  );
}

async function dump(): Promise<void> {
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
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
