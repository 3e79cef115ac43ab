import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../config/index.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { startNode } from "../../main.ts";
import { makeBuyers, newEvent } from "../bench/harness/sale.ts";
import { migrate } from "../database/migrations.ts";
import { outsideEnvironment } from "../process/outside-environment.ts";
import { openToServers } from "../dev-servers/data-folders.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { startServers } from "../dev-servers/servers.ts";

export type MeasuredEngine = {
  url: string;
  databaseUrl: string;
  /** An event on sale that does not sell out. */
  eventId: string;
  /** Access tokens of customers. */
  tokens: string[];
};

const EVENTS = 20;

/**
 * Runs `use` beside an engine with its defaults: all services in this process, on private
 * servers, with a few events on sale. Removes everything afterwards.
 */
export async function withEngine(
  { customers, report }: { customers: number; report: Report },
  use: (engine: MeasuredEngine) => Promise<void>,
): Promise<void> {
  const dataDir = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-coverage-")));
  const servers = await startServers({ dataDir, report, restart: false, throwaway: true });
  try {
    const databaseUrl = servers.urls.DATABASE_URL ?? "";
    await migrate(databaseUrl);
    const environment = {
      ...outsideEnvironment(),
      ...servers.urls,
      PORT: "0",
      DATA_DIR: dataDir,
      LOG_LEVEL: "error",
      AUDIT_FILE: join(dataDir, "audit.log"),
    };
    const config = readConfig(environment);
    const node = await startNode(config);
    const database = openDatabase(databaseUrl, "long");
    try {
      const eventId = await newEvent(database);
      for (let count = 1; count < EVENTS; count += 1) await newEvent(database);
      const tokens = await makeBuyers({ environment, config, database }, customers);
      await use({ url: node.url ?? "", databaseUrl, eventId, tokens });
    } finally {
      await database.close();
      await node.stop();
    }
  } finally {
    await servers.stop();
    for (const folder of [servers.folder, dataDir])
      rmSync(folder, { recursive: true, force: true });
  }
}
