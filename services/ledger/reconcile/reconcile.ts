import type { Database } from "../../../lib/database/pool.ts";
import { readLeftToSell } from "../../../lib/availability/availability-query.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import { checkAvailableCopies, type WrongCopy } from "./check-availability-cache.ts";
import { type Discrepancy, differenceOf, differencesOf, type EventNumbers } from "./discrepancy.ts";
import { checkEventCopies } from "./check-event-cache.ts";
import { FIRST_ID, firstSize, nextSize, PART_SIZE, type PartSize, type Position } from "./parts.ts";
import type { ReconcileWatch } from "./reconcile-metrics.ts";
import { readTruths } from "./read-truth.ts";

export type Reconciliation = {
  events: number;
  /** The first thousand. */
  differences: Discrepancy[];
  /** Differences beyond those listed, at least. */
  more: number;
  /** False if Redis did not answer: its copies were then not compared, or not all. */
  copiesCompared: boolean;
  /** Where the next call goes on, as its `from`. Missing: all is compared. */
  next?: string;
};

export type ReconcileOptions = {
  /** Only this event. */
  eventId?: string | undefined;
  /** `next` of an earlier call. */
  from?: string | undefined;
  mend: boolean;
  /** Time after which no further part is begun. */
  timeMs?: number;
  /** The largest part. */
  size?: PartSize;
  watch?: ReconcileWatch | undefined;
};

const LISTED_MAX = 1_000;
/** A call ends well before its caller's time-out, and often enough for a line of progress. */
const TIME_MS = 5_000;
/** Marks a position in Redis, reached after all events. */
const COPIES = "copies:";
const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
/** A position is an event's id, perhaps with a customer's, or a cursor of Redis' SCAN. */
export const POSITION = String.raw`^(?:${ID}(?:/${ID})?|${COPIES}\d{1,20})$`;

/**
 * Compares tickets, pending rows, ledger, capacity and workers, and the copies in Redis with them.
 * Goes event by event, and through a large event customer by customer: each statement reads a
 * bounded part in a snapshot of its own, the smaller the slower PostgreSQL is. Returns when time is
 * up; the next call goes on. Repairs only copies, never PostgreSQL. Does not compare the limit per
 * customer, which may have been lowered. Returns undefined if no table knows `eventId`.
 */
export async function reconcile(
  database: Database,
  redis: RedisClient,
  { eventId, from, mend, timeMs = TIME_MS, size: most = PART_SIZE, watch }: ReconcileOptions,
): Promise<Reconciliation | undefined> {
  const endMs = performance.now() + timeMs;
  const hasTime = (): boolean => performance.now() < endMs;
  const result: Reconciliation = { events: 0, differences: [], more: 0, copiesCompared: true };
  const note = (differences: readonly Discrepancy[], more = 0): void => {
    const listed = differences.slice(0, LISTED_MAX - result.differences.length);
    result.differences.push(...listed);
    result.more += differences.length - listed.length + more;
  };

  const cursor = from?.startsWith(COPIES) === true ? from.slice(COPIES.length) : undefined;
  let size = firstSize(most);
  let position = cursor === undefined ? positionOf(from ?? eventId ?? FIRST_ID) : undefined;
  while (position !== undefined) {
    const judged = await readTruths(database, position, { only: eventId, size }, LISTED_MAX);
    const { part, numbers, found, next, tookMs } = judged;
    if (eventId !== undefined && part.of !== "customers" && numbers.length + found.length === 0)
      return undefined;
    result.events += numbers.length;
    const wrong = await compareAvailable(database, redis, numbers, mend);
    result.copiesCompared &&= wrong !== undefined;
    note([
      ...numbers.flatMap(differencesOf),
      ...found.map(differenceOf),
      ...(wrong ?? []).map(wrongCopy),
    ]);
    // The numbers of a large event are one statement, whatever the size.
    if (part.of !== "event") size = nextSize(size, sumOf(tookMs), most);
    position = eventId === undefined || next?.event === eventId ? next : undefined;
    watch?.judged(tookMs, numbers.length);
    if (eventId === undefined) watch?.reached(position?.event);
    if (position !== undefined && !hasTime()) return { ...result, next: textOf(position) };
  }

  const copies = await checkEventCopies(database, redis, {
    eventId,
    from: cursor,
    mend,
    listedMax: LISTED_MAX,
    hasTime,
  });
  note(copies.differences, copies.more);
  result.copiesCompared &&= copies.compared;
  return copies.next === undefined ? result : { ...result, next: `${COPIES}${copies.next}` };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

function positionOf(text: string): Position {
  const [event = "", customer] = text.split("/");
  return { event, ...(customer !== undefined && { customer }) };
}

function textOf({ event, customer }: Position): string {
  return customer === undefined ? event : `${event}/${customer}`;
}

function compareAvailable(
  database: Database,
  redis: RedisClient,
  numbers: readonly EventNumbers[],
  mend: boolean,
): Promise<WrongCopy[] | undefined> {
  const truths = numbers.map((event) => ({
    eventId: event.eventId,
    available: event.capacity + event.unbooked,
    epoch: event.epoch ?? 0,
    batch: event.batch ?? 0,
  }));
  return checkAvailableCopies(redis, truths, {
    mend,
    readNow: (eventIds) => readLeftToSell(database, eventIds),
  });
}

function wrongCopy({ eventId, available, found, mended }: WrongCopy): Discrepancy {
  return {
    kind: "available-copy",
    eventId,
    expected: available,
    found,
    mended,
    sentence:
      `Redis says ${found} places can be sold; PostgreSQL says ${available} (capacity and ` +
      "rows not yet booked). " +
      (mended ? "The copy now says the same." : "The copy was left."),
  };
}
