import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../../lib/database/pool.ts";
import { migrate, readMigrations } from "../../../tools/database/migrations.ts";
import { startServers } from "../../../tools/dev-servers/servers.ts";
import { temporaryFolder } from "./processes.ts";

export type DurablePostgres = {
  /** By the schema's owner, a superuser. */
  ownerUrl: string;
  /** By the engine's role. */
  engineUrl: string;
  /** Changes a setting of the running server; undefined: as it was. */
  set(name: string, value: string | undefined): Promise<void>;
  /** Restarts it as a standby, and promotes that: it begins a new timeline. */
  promote(): Promise<void>;
  /** Stops it, runs `work` on the folder of its cluster, and starts it again. */
  whileStopped(work: (cluster: string) => void): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a migrated PostgreSQL that keeps what it commits. The tests' own server does not. */
export async function startDurablePostgres(): Promise<DurablePostgres> {
  const { folder, remove } = temporaryFolder();
  const servers = await startServers({
    dataDir: folder,
    only: ["postgres"],
    report: () => undefined,
    restart: false,
  });
  const { MIGRATION_DATABASE_URL: ownerUrl = "", DATABASE_URL: engineUrl = "" } = servers.roleUrls;
  await migrate(ownerUrl, readMigrations(), { roles: { engine: engineUrl } });
  const owner = openDatabase(ownerUrl, "sale", { poolMax: 1 });
  const cluster = join(servers.folder, "postgres", "data", "cluster");
  return {
    ownerUrl,
    engineUrl,
    async set(name, value) {
      const change = value === undefined ? `RESET ${name}` : `SET ${name} = '${value}'`;
      await owner.query({ text: `ALTER SYSTEM ${change}` });
      await owner.query({ text: "SELECT pg_reload_conf()" });
    },
    async promote() {
      const server = servers.server("postgres");
      await server.stop();
      writeFileSync(join(cluster, "standby.signal"), "");
      await server.restart();
      await owner.query({ text: "SELECT pg_promote()" });
    },
    async whileStopped(work) {
      const server = servers.server("postgres");
      await server.stop();
      work(cluster);
      await server.restart();
    },
    async stop() {
      await owner.close();
      await servers.stop();
      remove();
    },
  };
}
