import type { Connection, Database } from "../../../lib/database/pool.ts";
import { readLeftToSell } from "../../../lib/availability/availability-query.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import { checkAvailableCopies } from "./check-availability-cache.ts";
import {
  type Discrepancy,
  differenceOf,
  differencesOf,
  type EventNumbers,
  type FoundRow,
} from "./discrepancy.ts";
import { checkEventCopies } from "./check-event-cache.ts";
import {
  CANCELLATION_DIFFERENCES,
  EVENT_NUMBERS,
  STRAY_ROWS,
  TRANSACTION_DIFFERENCES,
} from "./reconcile.sql.ts";

export type Reconciliation = {
  events: number;
  /** The first thousand. */
  differences: Discrepancy[];
  /** Differences beyond those listed, at least. */
  more: number;
  /** False if Redis did not answer: its copies were then not compared, or not all. */
  copiesCompared: boolean;
};

const LISTED_MAX = 1_000;

/**
 * Compares tickets, pending rows, ledger, capacity and workers in one snapshot of PostgreSQL, and
 * the copies in Redis with it. A running sale makes no difference. Repairs only copies, never
 * PostgreSQL. Does not compare the limit per customer, which may have been lowered. Returns
 * undefined if no table knows `eventId`.
 */
export async function reconcile(
  database: Database,
  redis: RedisClient,
  options: { eventId?: string | undefined; mend: boolean },
): Promise<Reconciliation | undefined> {
  const { eventId, mend } = options;
  const { numbers, found } = await database.transaction(
    (connection) => readTruth(connection, eventId),
    "REPEATABLE READ",
  );
  if (eventId !== undefined && numbers.length === 0 && found.length === 0) return undefined;

  const truths = numbers.map((event) => ({
    eventId: event.eventId,
    available: event.capacity + event.unbooked,
    epoch: event.epoch ?? 0,
    batch: event.batch ?? 0,
  }));
  const wrongAvailable = await checkAvailableCopies(redis, truths, {
    mend,
    readNow: (eventIds) => readLeftToSell(database, eventIds),
  });
  const copies = await checkEventCopies(database, redis, {
    eventId,
    known: new Set(numbers.map((event) => event.eventId)),
    mend,
    listedMax: LISTED_MAX,
  });
  const differences: Discrepancy[] = [
    ...numbers.flatMap(differencesOf),
    ...found.map(differenceOf),
    ...(wrongAvailable ?? []).map(
      ({ eventId: id, available, found: said, mended }): Discrepancy => ({
        kind: "available-copy",
        eventId: id,
        expected: available,
        found: said,
        mended,
        sentence:
          `Redis says ${said} places can be sold; PostgreSQL says ${available} (capacity and ` +
          "rows not yet booked). " +
          (mended ? "The copy now says the same." : "The copy was left."),
      }),
    ),
    ...copies.differences,
  ];
  return {
    events: numbers.length,
    differences: differences.slice(0, LISTED_MAX),
    more: Math.max(0, differences.length - LISTED_MAX) + copies.more,
    copiesCompared: wrongAvailable !== undefined && copies.compared,
  };
}

async function readTruth(
  connection: Connection,
  eventId: string | undefined,
): Promise<{ numbers: EventNumbers[]; found: FoundRow[] }> {
  const values = [eventId ?? null];
  const numbers = await connection.query<EventNumbers>({ text: EVENT_NUMBERS, values });
  const found: FoundRow[] = [];
  for (const text of [TRANSACTION_DIFFERENCES, CANCELLATION_DIFFERENCES, STRAY_ROWS])
    found.push(
      ...(await connection.query<FoundRow>({ text, values: [...values, LISTED_MAX + 1] })),
    );
  return { numbers, found };
}
