import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { processEnvironment } from "../../config/index.ts";
import { findBinaries } from "../dev-servers/binaries.ts";

export const SCHEMA_FILE = new URL("../../migrations/schema.sql", import.meta.url);

/**
 * Dumps the schema with pg_dump, without lines that differ between versions and runs, so that a
 * diff shows schema changes only. Throws if pg_dump is missing or fails.
 */
export async function dumpSchema(databaseUrl: string): Promise<string> {
  const url = new URL(databaseUrl);
  const password = decodeURIComponent(url.password);
  url.password = ""; // It would show in the list of processes.
  const { stdout } = await promisify(execFile)(
    program(),
    [
      "--schema-only",
      "--no-owner",
      "--no-privileges",
      "--exclude-table=schema_migration",
      `--dbname=${url.href}`,
    ],
    { env: { ...processEnvironment(), PGPASSWORD: password }, maxBuffer: 16 * 1024 * 1024 },
  );
  const lines = stdout
    .split("\n")
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict )/.test(line));
  return `-- Dumped by \`npx boxoffice migrate --dump\`; never edited by hand.\n${lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()}\n`;
}

function program(): string {
  const { postgres } = findBinaries(["postgres"]).found;
  const beside = postgres === undefined ? undefined : join(dirname(postgres), "pg_dump");
  return beside !== undefined && existsSync(beside) ? beside : "pg_dump";
}
