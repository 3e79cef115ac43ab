import { setIfNewer } from "../../../lib/availability/availability-cache.ts";
import { type OwnedCopy, transactionKey } from "../../../lib/availability/ticket-copy.ts";
import type { Booked } from "../../../lib/database/ledger-booking.ts";
import { type RedisClient, runScripts } from "../../../lib/redis/client.ts";

/** A completed transaction is final, and PostgreSQL has it: its copy need not live longer. */
const COMPLETED_MS = 3_600_000;
/** Copies in one call. Limits how long Redis serves nobody else. */
const COPIES_MAX = 500;

/**
 * Marks the copies of booked transactions as completed. Never rejects: a copy that stays pending is
 * trusted for seconds only.
 */
export async function completeCopies(redis: RedisClient, booked: readonly Booked[]): Promise<void> {
  const run = redis.runId();
  if (run === undefined) return;
  const [atMs, expiresAtMs] = [Date.now(), Date.now() + COMPLETED_MS];
  const calls = booked.flatMap(({ eventId, epoch, batch, transactions }) => {
    // After the worker's own copies of this batch, also if those come later.
    const version = { epoch, batch: batch + 0.5 };
    const copies = transactions.map(([transactionId, userId, quantity]) => {
      const value = { transactionId, eventId, status: "completed", quantity };
      const copy: OwnedCopy<object> = { run, ...version, atMs, userId, value };
      return { key: transactionKey(eventId, transactionId), text: JSON.stringify(copy) };
    });
    return Array.from({ length: Math.ceil(copies.length / COPIES_MAX) }, (_, index) => {
      const some = copies.slice(index * COPIES_MAX, (index + 1) * COPIES_MAX);
      return setIfNewer({ ...version, expiresAtMs, copies: some }, run);
    });
  });
  if (calls.length > 0) await runScripts(redis, calls).catch(() => undefined);
}
