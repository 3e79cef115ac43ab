import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Backups, openBackups } from "../../../backup/private-server.ts";
import { restoreInto } from "../../../backup/restore.ts";
import { openToServers } from "../../../dev-servers/data-folders.ts";
import { flipByte, flipPage } from "../../../testing/flip-byte.ts";
import type { Fault, FaultContext } from "../../fault.ts";

const SEGMENT = 16 * 1024 * 1024;
const DAMAGED_S = 3;

const errorOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "",
    (error: unknown) => String(error),
  );

async function one<T>({ world }: FaultContext, text: string, values: unknown[] = []): Promise<T> {
  const [row] = await world.database.query<{ value: T }>({ text, values });
  if (row === undefined) throw new Error(`no row: ${text}`);
  return row.value;
}

/** Damages one page under the clients. Nothing may be sold by it, and no backup made of it. */
async function damagePage(
  context: FaultContext,
  backups: Backups,
  { name, relation, page }: { name: string; relation: string; page: number },
): Promise<void> {
  const { servers, market, hot, phase, forSeconds, until, expect, note } = context;
  const postgres = servers.server("postgres");
  const path = await one<string>(context, "SELECT pg_relation_filepath($1) AS value", [relation]);
  const file = join(servers.folder, "postgres", "data", "cluster", path);
  const change = async (): Promise<void> => {
    // It has the page in memory, and would write it over the damage.
    await postgres.stop();
    flipPage(file, page);
    await postgres.restart();
  };
  await phase(`a byte of ${name} is flipped`, async () => {
    await change();
    const fromMs = performance.now();
    const backup = await errorOf(
      backups.run(["full"], { DATABASE_URL: context.world.urls.DATABASE_URL }),
    );
    expect(backup.includes("checksum"), `a backup was made of a damaged ${name}: ${backup}`);
    await forSeconds(DAMAGED_S);
    const tries = market.journal.entries.filter(
      ({ op, event, started }) => op === "buy" && event === hot && started >= fromMs,
    );
    const sold = tries.filter(({ outcome }) => outcome === "ok").length;
    expect(tries.length > 0, `no purchase was tried with a damaged ${name}`);
    expect(sold === 0, `${sold} purchases were sold on a damaged ${name}`);
    const faults = market.journal.entries.filter(
      ({ status, started }) => status === 500 && started >= fromMs,
    );
    const ops = [...new Set(faults.map(({ op }) => op))].join(", ");
    expect(faults.length === 0, `${faults.length} answers were 500 with ${name} damaged: ${ops}`);
    note(`${name}: ${tries.length} purchases refused`);
  });
  await phase(`${name} is mended`, async () => {
    await change();
    const fromMs = performance.now();
    const isSold = () =>
      market.journal.entries.some(
        ({ op, outcome, started }) => op === "buy" && outcome === "ok" && started >= fromMs,
      );
    await until("a sale", isSold, 30);
  });
}

/** Damages a backup, and the log after it. The drill must not succeed. */
async function damageBackup(context: FaultContext, backups: Backups): Promise<void> {
  const { world, servers, phase, forSeconds, until, expect, note } = context;
  const folder = join(servers.folder, "backups");
  const drill = async (): Promise<string> => {
    const target = openToServers(mkdtempSync(join(tmpdir(), "boxoffice-flipped-")));
    const options = { to: undefined, check: true, report: () => undefined };
    try {
      return await errorOf(restoreInto(target, backups, options));
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  };
  const name = await phase("a backup is taken", () =>
    backups.run(["full"], { DATABASE_URL: world.urls.DATABASE_URL }),
  );
  await forSeconds(2);
  const written = await one<number>(
    context,
    "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS value",
  );
  const last = await one<string>(context, "SELECT pg_walfile_name(pg_switch_wal()) AS value");
  const segment = join(folder, "wal", `${last}.gz`);
  const archived = "SELECT last_archived_wal >= $1 AS value FROM pg_stat_archiver";
  await until("the log is archived", () => one<boolean>(context, archived, [last]), 30);

  await phase("a byte of the log is flipped", async () => {
    const whole = readFileSync(segment);
    const bytes = gunzipSync(whole);
    const at = (written % SEGMENT) - 100;
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(segment, gzipSync(bytes, { level: 1 }));
    const found = await drill();
    expect(found.includes("write-ahead log is damaged"), `the drill has not seen it: ${found}`);
    note(`log: ${found.slice(0, 160)}`);
    writeFileSync(segment, whole);
  });
  await phase("a byte of the backup is flipped", async () => {
    const file = join(folder, "full", name, "base.tar.gz");
    flipByte(file, 100_000);
    const found = await drill();
    expect(found !== "", "a damaged backup was restored");
    note(`backup: ${found.slice(0, 160)}`);
    flipByte(file, 100_000);
  });
  const mended = await drill();
  expect(mended === "", `the drill fails on a good backup, too: ${mended}`);
}

/** Bytes flip in a table and in an index. */
export const flippedPages: Fault = {
  id: "F21",
  title: "a byte flipped in a table and an index",
  async run(context) {
    const { world, hot, mark } = context;
    const backups = await openBackups({ dataDir: world.dataDir, report: () => undefined });
    const page = await one<number>(
      context,
      `SELECT (ctid::text::point)[0]::integer AS value FROM event_worker WHERE event_id = $1`,
      [hot],
    );
    await damagePage(context, backups, { name: "a table", relation: "event_worker", page });
    // Page 0 tells where the index begins.
    const index = { name: "an index", relation: "event_tickets_sale_key", page: 0 };
    await damagePage(context, backups, index);
    mark();
  },
};

/** The same, and in the archived log and a backup. */
export const fault: Fault = {
  id: "F21",
  title: "a byte flipped in a table, an index, the log and a backup",
  async run(context) {
    const { dataDir } = context.world;
    const backups = await openBackups({ dataDir, report: () => undefined });
    backups.archiveFromNow();
    await flippedPages.run(context);
    await damageBackup(context, backups);
  },
};
