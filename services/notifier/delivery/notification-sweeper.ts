import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import type { Database } from "../../../lib/database/pool.ts";
import { encodeNotifications, type Log, type Publisher } from "../../../lib/queue/index.ts";
import type { Breaker } from "./back-off.ts";
import type { Delivery } from "./delivery.ts";
import { DUE, PURGE } from "./notification.sql.ts";

/** Due notifications that are in the queue or on their way into it, at most. */
const DUE_MAX = 500;
/** Keys of a message: its mails are sent in a second or two. */
const KEYS_MAX = 20;
/** A due notification is published again after this time: its message was lost, or waits long. */
const AGAIN_MS = 10_000;
const PURGE_EVERY_MS = 60 * 60_000;
const PURGED_AT_ONCE = 1_000;
const PURGE_ROUNDS_MAX = 100;

/** Days for which sent notifications are kept, to tell operators what was sent when. */
export const KEPT_DAYS = 30;

export type SweeperOptions = {
  database: Database;
  publisher: Publisher;
  delivery: Delivery;
  breaker: Breaker;
  log: Log;
  everyMs: number;
  /** Mails per second at most, so that a sale keeps the processor and the server its limit. */
  perSecond: number;
  clock?: Clock;
};

/**
 * Looks for due notifications and publishes their keys, so that all notifiers share the work. Sends
 * them itself while RabbitMQ is down. Deletes old ones.
 */
export function startNotificationSweeper(options: SweeperOptions): { stop(): Promise<void> } {
  const { database, publisher, delivery, breaker, log, everyMs, clock = systemClock } = options;
  const atOnce = Math.max(1, Math.round((options.perSecond * everyMs) / 1_000));
  const stopping = new AbortController();
  const publishedAtMs = new Map<string, number>();
  let purgeAtMs = clock.nowMs();
  let failing = false;
  let running: Promise<void> = Promise.resolve();
  let timer: { cancel(): void };

  const publishDue = async (): Promise<void> => {
    const rows = await database.query<{ key: string }>({ ...DUE, values: [DUE_MAX] });
    const due = rows.map(({ key }) => key);
    if (!publisher.connected()) return delivery.deliver(due.slice(0, atOnce), stopping.signal);
    const nowMs = clock.nowMs();
    const isDue = new Set(due);
    for (const [key, atMs] of publishedAtMs)
      if (!isDue.has(key) || nowMs - atMs >= AGAIN_MS) publishedAtMs.delete(key);
    const fresh = due.filter((key) => !publishedAtMs.has(key)).slice(0, atOnce);
    for (let start = 0; start < fresh.length; start += KEYS_MAX) {
      const keys = fresh.slice(start, start + KEYS_MAX);
      for (const key of keys) publishedAtMs.set(key, nowMs);
      publisher.send(encodeNotifications(keys), 1);
    }
  };

  const purge = async (): Promise<void> => {
    if (clock.nowMs() < purgeAtMs) return;
    purgeAtMs = clock.nowMs() + PURGE_EVERY_MS * (0.5 + Math.random());
    for (let round = 0; round < PURGE_ROUNDS_MAX; round += 1) {
      const gone = await database.query({ ...PURGE, values: [KEPT_DAYS, PURGED_AT_ONCE] });
      if (gone.length < PURGED_AT_ONCE) return;
    }
  };

  const sweep = async (): Promise<void> => {
    try {
      // Messages that arrive while the breaker is open are dropped.
      if (breaker.isOpen()) publishedAtMs.clear();
      else await publishDue();
      await purge();
      failing = false;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!failing) log.warn(`The notifier cannot look for notifications: ${reason}`);
      failing = true;
    }
  };

  const schedule = (): void => {
    timer = clock.after(everyMs, () => {
      running = sweep().finally(() => {
        if (!stopping.signal.aborted) schedule();
      });
    });
  };
  schedule();

  return {
    async stop() {
      stopping.abort();
      timer.cancel();
      await running;
    },
  };
}
