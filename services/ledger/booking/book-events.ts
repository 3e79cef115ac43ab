import { WHOLE_BACKLOG, bookPending, lockEvents } from "../../../lib/database/ledger-booking.ts";
import { type Database, isServerError } from "../../../lib/database/pool.ts";

/**
 * `broken`: events whose rows PostgreSQL refuses to book (a CHECK, a key), by id, with its reason.
 */
export type Outcome = { rows: number; broken: Map<string, string> };

/**
 * Books all pending rows of these events in one transaction, or in several for a long backlog. If
 * that fails, it books event by event, so that one broken event does not block the others. Rejects
 * if PostgreSQL is down or in trouble. What was booked stays booked, and the call may be repeated.
 */
export async function applyEvents(
  database: Database,
  eventIds: readonly string[],
  prefixMax?: number,
): Promise<Outcome> {
  try {
    return { rows: await applyTogether(database, eventIds, prefixMax), broken: new Map() };
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (eventIds.length === 1 && eventIds[0] !== undefined) {
      if (!isIntegrityError(error)) throw error;
      // Quarantined rows that came back may be older than what is booked. A part of them can break
      // a CHECK that all together satisfy.
      if (prefixMax !== WHOLE_BACKLOG) return applyEvents(database, eventIds, WHOLE_BACKLOG);
      return { rows: 0, broken: new Map([[eventIds[0], error.message]]) };
    }
  }
  const outcome: Outcome = { rows: 0, broken: new Map() };
  const faults: unknown[] = [];
  for (const eventId of eventIds) {
    try {
      const { rows, broken } = await applyEvents(database, [eventId], prefixMax);
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
): Promise<number> {
  let rows = 0;
  for (let left = eventIds; left.length > 0;) {
    const booked = await database.transaction(async (connection) => {
      const existing = await lockEvents(connection, left);
      return bookPending(connection, existing, prefixMax);
    });
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
