import type { Database } from "../../mixins/database.ts";
import type { RedisClient } from "../../mixins/redis.ts";
import { checkAvailableCopies } from "./available-copies.ts";
import { EVENT_NUMBERS, TRANSACTION_DIFFERENCES } from "./reconcile-statements.ts";

export type DifferenceKind = "capacity" | "ledger" | "transaction" | "failed-rows" | "available-copy";
export type Difference = {
  kind: DifferenceKind;
  eventId: string;
  /** Only where one transaction is meant; hex. */
  transactionId?: string;
  expected: number;
  found: number;
  mended: boolean;
  /** Says in words what was compared with what. */
  sentence: string;
};

export type Reconciliation = {
  events: number;
  /** The first thousand. */
  differences: Difference[];
  /** Differences beyond those listed, at least. */
  more: number;
  /** False when Redis could not be asked: its copies are then not compared. */
  copiesCompared: boolean;
};

const LISTED_MAX = 1_000;

type EventNumbers = {
  eventId: string;
  total: number;
  capacity: number;
  active: number;
  unbooked: number;
  failed: number;
  booked: number;
  epoch: number | null;
  batch: number | null;
};
type TransactionDifference = { eventId: string; transactionId: string; expected: number; found: number };

/**
 * Compares tickets, pending rows, ledger and capacity in one snapshot of PostgreSQL, and Redis's copies with it. A running sale makes no difference.
 * Mends copies only: what PostgreSQL says is never changed here. Returns undefined where `eventId` names no event.
 */
export async function reconcile(
  database: Database,
  redis: RedisClient,
  options: { eventId?: string | undefined; mend: boolean },
): Promise<Reconciliation | undefined> {
  const { numbers, transactions } = await database.transaction(async (connection) => {
    const values = [options.eventId ?? null];
    return {
      numbers: await connection.query<EventNumbers>({ text: EVENT_NUMBERS, values }),
      transactions: await connection.query<TransactionDifference>({ text: TRANSACTION_DIFFERENCES, values: [...values, LISTED_MAX + 1] }),
    };
  }, "REPEATABLE READ");
  if (options.eventId !== undefined && numbers.length === 0) return undefined;

  const truths = numbers.map(({ eventId, capacity, unbooked, epoch, batch }) => ({
    eventId,
    available: capacity + unbooked,
    epoch: epoch ?? 0,
    batch: batch ?? 0,
  }));
  const wrongCopies = await checkAvailableCopies(redis, truths, options.mend);
  const differences: Difference[] = [
    ...numbers.flatMap(differencesOf),
    ...transactions.map(transactionDifference),
    ...(wrongCopies ?? []).map(({ eventId, available, found, mended }): Difference => ({
      kind: "available-copy",
      eventId,
      expected: available,
      found,
      mended,
      sentence: `Redis says ${found} places can be sold; PostgreSQL says ${available} (capacity and rows not yet booked).`,
    })),
  ];
  return {
    events: numbers.length,
    differences: differences.slice(0, LISTED_MAX),
    more: Math.max(0, differences.length - LISTED_MAX),
    copiesCompared: wrongCopies !== undefined,
  };
}

function differencesOf(numbers: EventNumbers): Difference[] {
  const { eventId, total, capacity, active, unbooked, failed, booked } = numbers;
  const differences: Difference[] = [];
  const compare = (kind: DifferenceKind, expected: number, found: number, sentence: string): void => {
    if (expected !== found) differences.push({ kind, eventId, expected, found, mended: false, sentence });
  };
  compare(
    "capacity",
    total - active,
    capacity + unbooked,
    `${total} places less ${active} active tickets leave ${total - active}; capacity ${capacity} and ${unbooked} not yet booked make ${capacity + unbooked}.`,
  );
  compare(
    "ledger",
    -active,
    booked + unbooked,
    `${active} tickets are active, so purchases less cancellations must sum to ${-active}; the ledger's ${booked} and ${unbooked} not yet booked make ${booked + unbooked}.`,
  );
  compare(
    "failed-rows",
    0,
    failed,
    `${failed} transactions could not be booked and are kept aside as failed; they still count in what is available.`,
  );
  return differences;
}

function transactionDifference({ eventId, transactionId, expected, found }: TransactionDifference): Difference {
  const sentence =
    expected === 0
      ? `${found} tickets name a transaction that neither the ledger nor a row waiting for it knows.`
      : `A purchase of ${expected} tickets is accounted for; ${found} tickets exist.`;
  return { kind: "transaction", eventId, transactionId, expected, found, mended: false, sentence };
}
