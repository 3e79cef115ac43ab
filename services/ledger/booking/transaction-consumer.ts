import { type Clock, pause, systemClock } from "../../../lib/concurrency/clock.ts";
import type { Database } from "../../../lib/database/pool.ts";
import { eventIdsOf, type Handler, type Log, type Turn } from "../../../lib/queue/index.ts";
import { applyEvents, quarantinePending } from "./book-events.ts";

export type LedgerCounts = { appliedRows: number; failedRows: number; outages: number };

export type HandlerOptions = {
  database: Database;
  log: Log;
  counts: LedgerCounts;
  /** Gains the events of every message that is done, booked here or by whoever died of it, for the sweeper. */
  handled?: Set<string>;
  /** Hears of each event that is booked here. */
  touched?: ((eventId: string) => void) | undefined;
  retryMs?: number;
  clock?: Clock;
  prefixMax?: number;
};

/**
 * What the ledger does with messages: books everything their events have pending.
 *
 * A fault of PostgreSQL is waited for here, with the consumer cancelled and the messages unacknowledged, and the same work is tried again: it may
 * last an hour without a message counting towards the delivery limit. Only an event whose rows cannot be booked gives its messages back; with
 * the last delivery of one its rows are put aside as `failed`.
 */
export function createTransactionHandler(options: HandlerOptions): Handler {
  const {
    database,
    log,
    counts,
    handled,
    touched,
    retryMs = 250,
    clock = systemClock,
    prefixMax,
  } = options;

  const attempt = async (
    eventIds: readonly string[],
    lastTry: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, string>> => {
    const { rows, broken } = await applyEvents(database, eventIds, prefixMax);
    counts.appliedRows += rows;
    // Not before: what was committed and booked meanwhile would be looked at too early, and never again.
    for (const eventId of eventIds) {
      handled?.add(eventId);
      touched?.(eventId);
    }
    for (const [eventId, reason] of broken) {
      if (!lastTry.has(eventId)) continue;
      const failed = await quarantinePending(database, eventId);
      counts.failedRows += failed;
      log.error(
        `${failed} transactions of event ${eventId} cannot be booked and are put aside as failed: ${reason}`,
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
            `The ledger cannot book and waits: ${error instanceof Error ? error.message : String(error)}`,
          );
          turn.pause();
        }
        await pause(clock, Math.min(retryMs * 2 ** failures, 2_000), turn.signal);
      }
    }
  }
}
