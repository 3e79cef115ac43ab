import { type Clock, pause, systemClock } from "../../../lib/concurrency/clock.ts";
import type { Database } from "../../../lib/database/pool.ts";
import { eventIdsOf, type Handler, type Log, type Turn } from "../../../lib/queue/index.ts";
import { applyEvents, quarantinePending } from "./book-events.ts";

export type LedgerCounts = { appliedRows: number; failedRows: number; outages: number };

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
