import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { startChildProgram } from "../../../tools/dev-servers/child-program.ts";
import { freePort } from "../../../tools/dev-servers/ports.ts";
import { accountFor } from "../../../tools/dev-servers/unix-account.ts";
import { engineRoleUrl } from "./servers.ts";
import { temporaryFolder } from "./processes.ts";

export type Pgbouncer = {
  /** The address of a database through it. */
  through: (databaseUrl: string) => string;
  /** Connections to PostgreSQL, and clients, of one database. */
  pools: (database: string) => Promise<{ servers: number; clients: number }>;
  stop(): Promise<void>;
};

export const SERVERS_MAX = 8;

/** Starts a PgBouncer in transaction mode before a server. Ignores no startup parameter. */
export async function startPgbouncer(program: string, serverUrl: string): Promise<Pgbouncer> {
  const { hostname, port: serverPort, username } = new URL(serverUrl);
  const { folder, remove } = temporaryFolder();
  const port = await freePort();
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    chmodSync(file, 0o644);
    return file;
  };
  const users = write(
    "users.txt",
    [serverUrl, engineRoleUrl()]
      .map((url) => new URL(url))
      .map((url) => `"${url.username}" "${decodeURIComponent(url.password)}"\n`)
      .join(""),
  );
  const configuration = write(
    "pgbouncer.ini",
    `[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
admin_users = ${username}
pool_mode = transaction
default_pool_size = ${SERVERS_MAX}
max_client_conn = 500
`,
  );
  const through = (databaseUrl: string): string => {
    const url = new URL(databaseUrl);
    [url.hostname, url.port] = ["127.0.0.1", String(port)];
    return url.href;
  };
  const ask = async (text: string): Promise<Record<string, unknown>[]> => {
    const url = new URL(through(serverUrl));
    url.pathname = "/pgbouncer";
    const client = new Client({ connectionString: url.href, connectionTimeoutMillis: 3_000 });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const answers = (): Promise<boolean> =>
    ask("SHOW VERSION").then(
      () => true,
      () => false,
    );
  const account = accountFor(folder, ["postgres"]);
  const child = await startChildProgram([program, configuration], answers, account);
  return {
    through,
    async pools(database) {
      const rows = (await ask("SHOW POOLS")).filter((row) => row.database === database);
      const sum = (...names: string[]): number =>
        rows.flatMap((row) => names.map((name) => Number(row[name]))).reduce((a, b) => a + b, 0);
      return {
        servers: sum("sv_active", "sv_idle", "sv_used", "sv_tested", "sv_login"),
        clients: sum("cl_active", "cl_waiting"),
      };
    },
    async stop() {
      await child.stop();
      remove();
    },
  };
}
