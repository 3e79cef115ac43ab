import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import type { Database } from "../../../lib/database/pool.ts";
import { writeAvailability } from "../../../lib/availability/availability-cache.ts";
import { readLeftToSell } from "../../../lib/availability/availability-query.ts";
import type { Log, Publisher } from "../../../lib/queue/index.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";

export type SweeperOptions = {
  database: Database;
  publisher: Pick<Publisher, "publish" | "connected">;
  /** Books all pending rows of these events. Used while RabbitMQ is down. */
  book: (eventIds: readonly string[]) => Promise<unknown>;
  redis: RedisClient;
  /** Events of messages that were done since the last look; the handler adds to it. */
  handled: Set<string>;
  log: Log;
  /** How often it looks. */
  everyMs?: number;
  /** Rows younger than this have a message on its way. */
  olderThanMs?: number;
  clock?: Clock;
};

export type Sweeper = { stop(): Promise<void> };

/**
 * Reads the oldest pending row of each event, one step through the index per event, however long
 * its backlog. Finds rows of dead nodes, of lost messages and of a RabbitMQ that was down, because
 * it reads nothing but the rows.
 */
export const EVENTS_WAITING = `
  WITH RECURSIVE oldest AS (
    (SELECT event_id, created_at FROM event_ticket_transactions WHERE status = 'pending'
      ORDER BY event_id, epoch, batch LIMIT 1)
    UNION ALL
    SELECT next.event_id, next.created_at
    FROM oldest CROSS JOIN LATERAL (
      SELECT event_id, created_at FROM event_ticket_transactions
      WHERE status = 'pending' AND event_id > oldest.event_id
      ORDER BY event_id, epoch, batch LIMIT 1
    ) AS next
  )
  SELECT event_id AS "eventId" FROM oldest
    WHERE created_at NOT BETWEEN clock_timestamp() - make_interval(secs => $1)
      AND clock_timestamp()`;

/**
 * Events with pending rows older than `olderThanMs` by PostgreSQL's clock, or written while that
 * clock was ahead.
 */
export async function eventsWaiting(database: Database, olderThanMs: number): Promise<string[]> {
  const rows = await database.query<{ eventId: string }>({
    text: EVENTS_WAITING,
    values: [olderThanMs / 1_000],
  });
  return rows.map(({ eventId }) => eventId);
}

/** Of more, the rest waits for the next look. */
const RENEWED_AT_ONCE = 200;

/**
 * Repairs what a messenger can do wrong: publishes the ids of events whose rows wait too long, or
 * books them itself while RabbitMQ is down. An event is published again only after as long a wait,
 * so that a backlog does not fill the queue.
 *
 * A worker may die between its commit and its cache write. Readers would trust the older value
 * until the next sale. So the sweeper also writes the availability of booked events to Redis, as
 * their worker would have.
 */
export function startSweeper(options: SweeperOptions): Sweeper {
  const {
    database,
    publisher,
    book,
    redis,
    handled,
    log,
    everyMs = 1_000,
    olderThanMs = 5_000,
    clock = systemClock,
  } = options;
  const publishedAtMs = new Map<string, number>();
  let stopped = false;
  let failing = false;
  let running: Promise<void> = Promise.resolve();

  const renewHandled = async (): Promise<void> => {
    const eventIds = [...handled].slice(0, RENEWED_AT_ONCE);
    if (eventIds.length === 0) return;
    // Before it is read: what is booked meanwhile is looked at again.
    for (const eventId of eventIds) handled.delete(eventId);
    try {
      await writeAvailability(redis, await readLeftToSell(database, eventIds));
    } catch {
      for (const eventId of eventIds) handled.add(eventId);
    }
  };

  const sweep = async (): Promise<void> => {
    try {
      await renewHandled();
      const waiting = await eventsWaiting(database, olderThanMs);
      if (!publisher.connected()) {
        if (waiting.length > 0) await book(waiting);
        failing = false;
        return;
      }
      const nowMs = clock.nowMs();
      for (const [eventId, atMs] of publishedAtMs)
        if (nowMs - atMs >= olderThanMs) publishedAtMs.delete(eventId);
      for (const eventId of waiting) {
        if (publishedAtMs.has(eventId)) continue;
        publishedAtMs.set(eventId, nowMs);
        publisher.publish({ eventId });
      }
      failing = false;
    } catch (error) {
      if (!failing)
        log.warn(
          "The sweeper cannot look for waiting rows: " +
            (error instanceof Error ? error.message : String(error)),
        );
      failing = true;
    }
  };

  let timer: { cancel(): void };
  const schedule = (): void => {
    timer = clock.after(everyMs, () => {
      running = sweep().finally(() => {
        if (!stopped) schedule();
      });
    });
  };
  schedule();

  return {
    async stop() {
      stopped = true;
      timer.cancel();
      await running;
    },
  };
}
