import type { EventRecord } from "../../../domain/event-record.ts";
import { lockEvents, NOTE_TAKEN } from "../../../lib/database/ledger-booking.ts";
import type { Connection, Database } from "../../../lib/database/pool.ts";
import { takeEpoch } from "../../../lib/database/event-epoch.ts";
import { eventId } from "../../../lib/ids.ts";
import { describeEvents } from "../events/event-store.ts";

/** Result of a change. Not changed: more tickets are sold than the new total has places. */
export type Change =
  { changed: true; epoch: number; available: number } | { changed: false; sold: number };

/**
 * Changes capacity or times of an event that may be selling, in one transaction. Takes the
 * epoch like a worker, which waits for the batch in flight and fences the worker; then, each in a
 * new statement, books pending rows and sets the new values. Sold tickets stay: a total below
 * them is refused. Lock order: event_worker, event, pending rows. The caller renews the copies in
 * Redis.
 */
export async function changeEvent(
  database: Database,
  record: EventRecord,
  node: string,
): Promise<Change> {
  const id = eventId(record);
  // Check before taking the epoch: taking it fences the worker, and a refused record may come
  // every hour.
  const soldBefore = await activeTickets(database, id);
  if (record.totalCapacity < soldBefore) return { changed: false, sold: soldBefore };

  return database.transaction(async (connection) => {
    const epoch = await takeEpoch(connection, id, node);
    if (epoch === undefined)
      throw new Error(`Event ${id} vanished during its import; events are never deleted`);
    await lockEvents(connection, [id]);
    await bookAll(connection, id);
    const sold = await activeTickets(connection, id);
    if (record.totalCapacity < sold) {
      await connection.query({
        text: "UPDATE event SET capacity = total_capacity - $2 WHERE id = $1",
        values: [id, sold],
      });
      await setAvailable(connection, id);
      return { changed: false, sold };
    }
    await describeEvents(connection, [record]);
    await connection.query({
      name: "catalog-change-event",
      text: CHANGE_EVENT,
      values: [id, sold, ...saleValues(record)],
    });
    await setAvailable(connection, id);
    await connection.query({
      name: "catalog-move-tickets",
      text: "UPDATE event_tickets SET event_date = $2 WHERE event_id = $1 AND event_date <> $2",
      values: [id, record.date],
    });
    return { changed: true, epoch, available: record.totalCapacity - sold };
  });
}

const CHANGE_EVENT = `
  UPDATE event SET total_capacity = $3::integer, capacity = $3::integer - $2::integer, date = $4,
    start_time = $5, end_time = $6, duration = $7, time_zone = $8, starts_at = $9, ends_at = $10
  WHERE id = $1`;

/** All is booked: what can be sold now is the event's capacity. */
async function setAvailable(connection: Connection, id: string): Promise<void> {
  await connection.query({
    name: "catalog-set-available",
    text: `UPDATE event_worker SET available = event.capacity FROM event
      WHERE event_id = $1 AND event.id = $1`,
    values: [id],
  });
}

function saleValues(record: EventRecord): unknown[] {
  const { totalCapacity, date, startTime, endTime, duration, timeZone, startsAt, endsAt } = record;
  return [totalCapacity, date, startTime, endTime, duration, timeZone, startsAt, endsAt];
}

async function activeTickets(connection: Connection, id: string): Promise<number> {
  const rows = await connection.query<{ sold: number }>({
    name: "catalog-active-tickets",
    text: `SELECT count(*)::integer AS sold FROM event_tickets
      WHERE event_id = $1 AND cancelled_at IS NULL`,
    values: [id],
  });
  return rows[0]?.sold ?? 0;
}

/**
 * Moves all pending rows of an event into the ledger, failed ones too. Leaves event.capacity
 * alone, because the next statement computes it from the tickets. This also heals rows that
 * failed because their sum broke a CHECK.
 */
async function bookAll(connection: Connection, id: string): Promise<void> {
  await connection.query({
    name: "catalog-book-all",
    text: `
      WITH taken AS (
        DELETE FROM event_ticket_transactions WHERE event_id = $1
        RETURNING event_id, quantity, epoch, batch
      )${NOTE_TAKEN}`,
    values: [id],
  });
}
