import { type Clock, pause, systemClock } from "../../../lib/concurrency/clock.ts";
import { type Database, isServerError } from "../../../lib/database/pool.ts";
import { eventIdsOf, type Handler, type Log, type Turn } from "../../../lib/queue/index.ts";
import {
  type Booked,
  bookPending,
  lockEvents,
  WHOLE_BACKLOG,
} from "../../../lib/database/ledger-booking.ts";

export type LedgerCounts = { appliedRows: number; failedRows: number; outages: number };

/** Never throws. */
type BookedListener = (booked: readonly Booked[]) => void;

export type HandlerOptions = {
  database: Database;
  log: Log;
  counts: LedgerCounts;
  /**
   * Collects the events of every finished message for the sweeper, whether booked here or by a
   * ledger that died.
   */
  handled?: Set<string>;
  /** Called for each event that is booked here. */
  touched?: ((eventId: string) => void) | undefined;
  /** Called with what each transaction has booked, after its commit. */
  booked?: BookedListener | undefined;
  retryMs?: number;
  clock?: Clock;
  prefixMax?: number;
};

/**
 * Creates the ledger's message handler, which books all pending rows of a message's events.
 *
 * During an outage of PostgreSQL it cancels the consumer, keeps the messages unacknowledged and
 * retries: an outage may last an hour without counting towards the delivery limit. Only the
 * messages of an event that cannot be booked are rejected. At the last delivery the event's rows
 * are quarantined as `failed`.
 */
export function createTransactionHandler(options: HandlerOptions): Handler {
  const {
    database,
    log,
    counts,
    handled,
    touched,
    booked,
    retryMs = 250,
    clock = systemClock,
    prefixMax,
  } = options;

  const attempt = async (
    eventIds: readonly string[],
    lastTry: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, string>> => {
    const { rows, broken } = await applyEvents(database, eventIds, prefixMax, booked);
    counts.appliedRows += rows;
    // Only after booking: a row that is committed meanwhile must be seen by the sweeper's next
    // look.
    for (const eventId of eventIds) {
      handled?.add(eventId);
      touched?.(eventId);
    }
    for (const [eventId, reason] of broken) {
      if (!lastTry.has(eventId)) continue;
      const failed = await quarantinePending(database, eventId);
      counts.failedRows += failed;
      log.error(
        `${failed} transactions of event ${eventId} cannot be booked and are put aside as ` +
          `failed: ${reason}`,
      );
    }
    return broken;
  };

  return async (deliveries, turn) => {
    const eventIds = [...new Set(deliveries.flatMap(({ message }) => eventIdsOf(message)))].sort();
    const lastTry = new Set(
      deliveries.filter(({ last }) => last).flatMap(({ message }) => eventIdsOf(message)),
    );
    const broken = await overOutages(turn, () => attempt(eventIds, lastTry));
    return deliveries.filter(({ message }) =>
      eventIdsOf(message).some((eventId) => broken.has(eventId)),
    );
  };

  async function overOutages<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      try {
        const result = await work();
        if (failures > 0) {
          log.info("The ledger books again");
          turn.resume();
        }
        return result;
      } catch (error) {
        if (failures === 0) {
          counts.outages += 1;
          log.warn(
            "The ledger cannot book and waits: " +
              (error instanceof Error ? error.message : String(error)),
          );
          turn.pause();
        }
        await pause(clock, Math.min(retryMs * 2 ** failures, 2_000), turn.signal);
      }
    }
  }
}

/**
 * `broken`: events whose rows PostgreSQL refuses to book (a CHECK, a key), by id, with its reason.
 */
type Outcome = { rows: number; broken: Map<string, string> };

/**
 * Books all pending rows of these events in one transaction, or in several for a long backlog. If
 * that fails, it books event by event, so that one broken event does not block the others. Rejects
 * if PostgreSQL is down or in trouble. What was booked stays booked, and the call may be repeated.
 */
export async function applyEvents(
  database: Database,
  eventIds: readonly string[],
  prefixMax?: number,
  listener?: BookedListener,
): Promise<Outcome> {
  try {
    return {
      rows: await applyTogether(database, eventIds, prefixMax, listener),
      broken: new Map(),
    };
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (eventIds.length === 1 && eventIds[0] !== undefined) {
      if (!isIntegrityError(error)) throw error;
      // Quarantined rows that came back may be older than what is booked. A part of them can break
      // a CHECK that all together satisfy.
      if (prefixMax !== WHOLE_BACKLOG)
        return applyEvents(database, eventIds, WHOLE_BACKLOG, listener);
      return { rows: 0, broken: new Map([[eventIds[0], error.message]]) };
    }
  }
  const outcome: Outcome = { rows: 0, broken: new Map() };
  const faults: unknown[] = [];
  for (const eventId of eventIds) {
    try {
      const { rows, broken } = await applyEvents(database, [eventId], prefixMax, listener);
      outcome.rows += rows;
      for (const [id, reason] of broken) outcome.broken.set(id, reason);
    } catch (error) {
      if (!isServerError(error)) throw error;
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  return outcome;
}

async function applyTogether(
  database: Database,
  eventIds: readonly string[],
  prefixMax?: number,
  listener?: BookedListener,
): Promise<number> {
  let rows = 0;
  for (let left = eventIds; left.length > 0;) {
    const booked = await database.transaction(async (connection) => {
      const existing = await lockEvents(connection, left);
      return bookPending(connection, existing, prefixMax);
    });
    listener?.(booked);
    rows += booked.reduce((sum, event) => sum + event.rows, 0);
    left = booked.filter(({ more }) => more).map(({ eventId }) => eventId);
  }
  return rows;
}

/**
 * Quarantines the pending rows of an event as `failed`. They are kept and still count in the
 * availability, but no message books them. Returns their number. An operator repairs the event and
 * calls `ledger.retryFailed`.
 */
export async function quarantinePending(database: Database, eventId: string): Promise<number> {
  return database.transaction(async (connection) => {
    await lockEvents(connection, [eventId]);
    const rows = await connection.query<{ rows: number }>({
      name: "fail-pending",
      text: `
        WITH failed AS (
          UPDATE event_ticket_transactions SET status = 'failed' WHERE event_id = $1
            AND status = 'pending' RETURNING 1
        ) SELECT count(*)::integer AS rows FROM failed`,
      values: [eventId],
    });
    return rows[0]?.rows ?? 0;
  });
}

/** SQLSTATE class 23, and 22003 (a sum out of range): the same rows would fail again. */
export function isIntegrityError(error: Error & { code: string }): boolean {
  return error.code.startsWith("23") || error.code === "22003";
}
