import { type Clock, pause, systemClock } from "../../lib/concurrency/clock.ts";
import { takeEpoch } from "../../lib/database/event-epoch.ts";
import { lockEvents } from "../../lib/database/ledger-booking.ts";
import type { Database } from "../../lib/database/pool.ts";
import {
  DELETE_LEDGER_ROWS,
  DELETE_TICKETS,
  EXPIRED_EVENTS,
  READ_BOOKS,
} from "./expire-sales.sql.ts";

export type ExpireOptions = {
  /** Of the profile "long". */
  database: Database;
  /** Events that ended longer ago than this expire. */
  years: number;
  /** Only counts. */
  dryRun: boolean;
  /** Takes a line for each event that is left although it has expired. */
  report: (line: string) => void;
  signal: AbortSignal;
  partMax?: number;
  clock?: Clock;
};

/** `left`: events that have expired, but whose books do not agree. */
export type Expired = { events: number; tickets: number; ledgerRows: number; left: number };

/** Rows of one transaction: some 100 ms. */
const PART_MAX = 2_000;
const REST_MIN_MS = 10;

/**
 * Deletes tickets and ledger rows of events that are over for `years`, event by event, the tickets
 * first. Each part is a transaction that leaves the books in agreement, and a rest as long as it
 * took: a run that ends early is continued by the next. An event whose books do not agree is left.
 * See ADR-0058.
 */
export async function expireSales(options: ExpireOptions): Promise<Expired> {
  const { database, years, dryRun, report, signal } = options;
  const expired: Expired = { events: 0, tickets: 0, ledgerRows: 0, left: 0 };
  const events = await database.query<{ id: string }>({ text: EXPIRED_EVENTS, values: [years] });
  for (const { id } of events) {
    if (signal.aborted) break;
    const before = await readBooks(database, id);
    if (before.waiting > 0 || !before.agree) {
      expired.left += 1;
      report(
        before.waiting > 0
          ? `Event ${id} is left: ${before.waiting} rows wait for the ledger.`
          : `Event ${id} is left: its books do not agree (npx boxoffice ledger reconcile ${id}).`,
      );
      continue;
    }
    if (!dryRun) await deleteSales(options, id);
    const after = dryRun ? NO_ROWS : await readBooks(database, id);
    expired.events += 1;
    expired.tickets += before.tickets - after.tickets;
    expired.ledgerRows += before.ledgerRows - after.ledgerRows;
  }
  return expired;
}

type Books = { tickets: number; ledgerRows: number; waiting: number; agree: boolean };

const NO_ROWS: Books = { tickets: 0, ledgerRows: 0, waiting: 0, agree: true };

async function readBooks(database: Database, id: string): Promise<Books> {
  const [books] = await database.query<Books>({ text: READ_BOOKS, values: [id] });
  return books ?? NO_ROWS;
}

/** Uses the indexes: statistics may be older than the rows. */
const SETTINGS = "SET LOCAL enable_seqscan = off; SET LOCAL boxoffice.retention = on";

async function deleteSales(
  { database, years, signal, partMax = PART_MAX, clock = systemClock }: ExpireOptions,
  id: string,
): Promise<void> {
  for (const text of [DELETE_TICKETS, DELETE_LEDGER_ROWS])
    for (let rows = partMax; rows >= partMax && !signal.aborted;) {
      const startedMs = clock.nowMs();
      rows = await database.transaction(async (connection) => {
        await connection.query({ text: SETTINGS });
        // Fences a worker that still answers replays. Lock order: event_worker, event, other rows.
        const epoch = await takeEpoch(connection, id, "retention");
        await lockEvents(connection, [id]);
        const [part] = await connection.query<{ rows: number }>({
          text,
          values: [id, years, partMax, epoch],
        });
        return part?.rows ?? 0;
      });
      if (rows === 0) break;
      const restMs = Math.max(REST_MIN_MS, clock.nowMs() - startedMs);
      await pause(clock, restMs, signal).catch(() => undefined);
    }
}
