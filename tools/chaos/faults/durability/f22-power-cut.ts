import { closeSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { secondsToFirstSale } from "../../checks/good-answers.ts";
import type { Fault, FaultContext } from "../../fault.ts";

const CUTS = 3;
const BETWEEN_S = 2;
/** `wal_segment_size`, as initdb sets it. */
const SEGMENT = 16 * 1024 * 1024;

/** Positions in the write-ahead log, in bytes from its start. */
type Log = { flushed: number; written: number; timeline: string };

const READ_LOG = {
  text: `
    SELECT (pg_current_wal_flush_lsn() - '0/0')::float8 AS flushed,
      (pg_current_wal_insert_lsn() - '0/0')::float8 AS written,
      substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) AS timeline`,
};

/** Removes what a power cut would: all that was written to the log and not flushed. */
function dropUnflushed(folder: string, { flushed, timeline }: Log): void {
  const number = Math.floor(flushed / SEGMENT);
  const hex = (part: number): string => part.toString(16).toUpperCase().padStart(8, "0");
  const last = `${timeline}${hex(Math.floor(number / 256))}${hex(number % 256)}`;
  for (const name of readdirSync(folder))
    if (/^[0-9A-F]{24}$/.test(name) && name > last) rmSync(join(folder, name));
  const from = flushed % SEGMENT;
  const file = openSync(join(folder, last), "r+");
  try {
    writeSync(file, Buffer.alloc(SEGMENT - from), 0, SEGMENT - from, from);
  } finally {
    closeSync(file);
  }
}

/**
 * Cuts PostgreSQL's power: its disk has what it had flushed at one moment. All requests have been
 * answered before, so that no answer is younger than that moment. Returns the bytes that were lost.
 */
async function cutPower({ world, servers, load, until }: FaultContext): Promise<number> {
  const postgres = servers.server("postgres");
  await load.pause(true);
  const [log] = await world.database.query<Log>(READ_LOG);
  postgres.kill("SIGKILL");
  if (log === undefined) throw new Error("PostgreSQL has not told how far its log is flushed");
  await until("PostgreSQL is gone", () => postgres.pid === undefined, 5);
  dropUnflushed(join(servers.folder, "postgres", "data", "cluster", "pg_wal"), log);
  return log.written - log.flushed;
}

/** The power of PostgreSQL's machine fails, again and again. The disk has what was flushed. */
export const fault: Fault = {
  id: "F22",
  title: `power cut: PostgreSQL has only what it had flushed, ${CUTS} times`,
  async run(context) {
    const { servers, market, hot, phase, mark, forSeconds, until, note } = context;
    const lost: number[] = [];
    const resumed: number[] = [];
    for (let count = 0; count < CUTS; count += 1) {
      lost.push(await phase("power cut", () => cutPower(context)));
      const fromMs = performance.now();
      mark();
      await phase("power is back", () => servers.server("postgres").restart());
      await context.load.pause(false);
      const isSold = (): boolean => {
        const seconds = secondsToFirstSale(market.journal.entries, hot, fromMs);
        if (seconds !== undefined) resumed.push(seconds);
        return seconds !== undefined;
      };
      await until("a sale", isSold, 30);
      await forSeconds(BETWEEN_S);
    }
    note(
      `${lost.join(", ")} bytes were not flushed; sales resumed after ` +
        `${resumed.map((seconds) => seconds.toFixed(1)).join(", ")} s`,
    );
  },
};
