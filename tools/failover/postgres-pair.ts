import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { addressOf, databaseUrlsOf } from "../../config/index.ts";
import { writableUrl } from "../../lib/database/hosts.ts";
import { withClient } from "../database/with-client.ts";
import { keptPassword, makePlace } from "../dev-servers/data-folders.ts";
import { answers } from "../dev-servers/probe.ts";
import { provideBinaries } from "../dev-servers/packages.ts";
import { type Report, secondsSince, ServerProblem } from "../dev-servers/server-problem.ts";
import { type Member, startEtcd, startMember, SUPERUSER } from "./patroni.ts";

const DATABASE = "boxoffice";
const READY_WITHIN_MS = 120_000;
const POLL_MS = 50;

/** PostgreSQL as a primary with a synchronous standby, which Patroni promotes. */
export type PostgresPair = {
  /** Both servers, by the superuser. */
  url: string;
  /** The member that takes writes. Waits for one. */
  primary(): Promise<Member>;
  /** Ends a member as the loss of its machine would: Patroni and PostgreSQL, by SIGKILL. */
  lose(member: Member): void;
  /** Starts it again on its data. */
  bringBack(member: Member): Promise<void>;
  /** True if a standby has all that the primary commits, and would be promoted. */
  isSynchronous(): Promise<boolean>;
  /** Ends all of it at once. */
  stop(): Promise<void>;
};

/**
 * Starts two members and their etcd on 127.0.0.1, with an empty database, under `folder`. Throws a
 * ServerProblem if there is no Patroni, or if the standby does not follow in time.
 */
export async function startPostgresPair(folder: string, report: Report): Promise<PostgresPair> {
  const startedMs = performance.now();
  const binaries = await provideBinaries(["postgres", "etcd", "patroni"], report);
  const root = (name: string): string => join(folder, `pair-${name}`);
  const password = keptPassword(makePlace(root("etcd"), "postgres"));
  const etcd = await startEtcd(root("etcd"), binaries, report);
  const members: Member[] = [];
  const stop = async (): Promise<void> => {
    members.forEach(kill);
    await Promise.all([...members.map(({ patroni }) => patroni.stop()), etcd.stop()]);
  };
  try {
    const etcdPort = etcd.port;
    // One after the other: the first one makes the database, the second one copies it.
    for (const name of ["one", "two"])
      members.push(
        await startMember({ root: root(name), name, etcdPort, password, binaries, report }),
      );
    const hosts = members.map(({ port }) => `127.0.0.1:${port}`).join(",");
    const { DATABASE_URL: url = "" } = databaseUrlsOf({
      DATABASE_URL: `postgres://${SUPERUSER}:${password}@${hosts}/${DATABASE}`,
    });
    const isSynchronous = async (): Promise<boolean> =>
      (await Promise.all(members.map(isStandby))).some(Boolean);
    await within("The standby follows", isSynchronous);
    const maintenance = {
      connectionString: await onMaintenance(url),
      connectionTimeoutMillis: 3_000,
    };
    await withClient(maintenance, (client) => client.query(`CREATE DATABASE ${DATABASE}`));
    report(`PostgreSQL and its standby are up (${secondsSince(startedMs)})`);
    return {
      url,
      isSynchronous,
      async primary() {
        const { port } = addressOf(await within("A primary", () => writableUrl(url)));
        const found = members.find((member) => member.port === port);
        if (found === undefined) throw new Error(`No member listens on port ${port}`);
        return found;
      },
      lose: kill,
      bringBack: ({ patroni }) => patroni.restart(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function kill({ patroni, cluster }: Member): void {
  if (patroni.pid !== undefined) patroni.kill("SIGKILL");
  try {
    const [pid] = readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
    process.kill(Number(pid), "SIGKILL");
  } catch (error) {
    // Ended already: no file, or no such process.
    if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/**
 * By Patroni, not by pg_stat_replication: a standby that follows already, and is not yet written
 * down in etcd, would not be promoted.
 */
function isStandby({ patroni }: Member): Promise<boolean> {
  return answers(patroni.port, "GET /synchronous HTTP/1.0\r\n\r\n", /^HTTP\/\S+ 200/);
}

/** The database that every server has, at the primary. */
async function onMaintenance(url: string): Promise<string> {
  const maintenance = new URL(url);
  maintenance.pathname = "/postgres";
  return writableUrl(maintenance.href);
}

/** Asks until the answer is neither false nor an error. */
async function within<T>(what: string, fact: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const [answer] = await Promise.allSettled([fact()]);
    if (answer.status === "fulfilled" && answer.value !== false) return answer.value;
    if (performance.now() > deadline)
      throw new ServerProblem(`${what}: not within ${READY_WITHIN_MS / 1_000} s`);
    await delay(POLL_MS);
  }
}
