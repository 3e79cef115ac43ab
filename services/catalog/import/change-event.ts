import type { EventRecord } from "../../../domain/event-record.ts";
import {
  lockEvents,
  NOTE_TAKEN,
  NOTIFY_TAKEN,
  TAKEN,
} from "../../../lib/database/ledger-booking.ts";
import type { Connection, Database } from "../../../lib/database/pool.ts";
import { LEFT_TO_SELL, takeEpoch } from "../../../lib/database/event-epoch.ts";
import { eventId } from "../../../lib/ids.ts";
import { describeEvents } from "../events/event-store.ts";

/** Result of a change. Not changed: more tickets are sold than the new total has places. */
export type Change =
  { changed: true; epoch: number; available: number } | { changed: false; sold: number };

/**
 * Changes capacity, times or status of an event that may be selling, in one transaction. Takes the
 * epoch like a worker, which waits for the batch in flight and fences the worker; then, each in a
 * new statement, books pending rows and sets the new values. Sold tickets stay: a total below
 * them is refused. Lock order: event_worker, event, pending rows.
 *
 * Changes no ticket, so that sales stop for two rows only, however many tickets are sold. Where the
 * date changes, `ticket_move_epoch` says that the tickets must follow: the caller wakes the ticket
 * mover, and renews the copies in Redis.
 */
export async function changeEvent(
  database: Database,
  record: EventRecord,
  node: string,
): Promise<Change> {
  const id = eventId(record);
  // Check before taking the epoch: taking it fences the worker, and a refused record may come
  // every hour.
  const before = await countSold(database, id);
  if (record.totalCapacity < before.counted) return { changed: false, sold: before.counted };

  return database.transaction(async (connection) => {
    const epoch = await takeEpoch(connection, id, node);
    if (epoch === undefined)
      throw new Error(`Event ${id} vanished during its import; events are never deleted`);
    await lockEvents(connection, [id]);
    await bookAll(connection, id);
    const sold =
      before.owned === before.counted
        ? await ownedSold(connection, id)
        : (await countSold(connection, id)).counted;
    if (record.totalCapacity < sold) {
      await connection.query({
        text: "UPDATE event SET capacity = total_capacity - $2 WHERE id = $1",
        values: [id, sold],
      });
      await setAvailable(connection, id);
      return { changed: false, sold };
    }
    const [was] =
      sold === 0 ? [] : await connection.query<Before>({ ...READ_BEFORE, values: [id] });
    await describeEvents(connection, [record]);
    await connection.query({
      name: "catalog-change-event",
      text: CHANGE_EVENT,
      values: [id, sold, ...saleValues(record), epoch],
    });
    await setAvailable(connection, id);
    if (was !== undefined && concernsHolders(was, record))
      await connection.query({ ...TELL_HOLDERS, values: [id, epoch, was] });
    return { changed: true, epoch, available: record.totalCapacity - sold };
  });
}

const CHANGE_EVENT = `
  UPDATE event SET total_capacity = $3::integer, capacity = $3::integer - $2::integer, date = $4::date,
    start_time = $5, end_time = $6, duration = $7, time_zone = $8, starts_at = $9, ends_at = $10,
    status = $11, ticket_move_epoch =
      CASE WHEN date = $4::date THEN ticket_move_epoch ELSE $12::bigint END
  WHERE id = $1`;

/** What holders of tickets knew of the event. */
type Before = { status: string; startsAtMs: number; duration: number; timeZone: string };

const READ_BEFORE = {
  name: "catalog-read-before",
  text: `
    SELECT status, (extract(epoch FROM starts_at) * 1000)::float8 AS "startsAtMs", duration,
      time_zone AS "timeZone"
    FROM event WHERE id = $1`,
} as const;

/**
 * Writes one notification for all holders, which the notifier fans out, unless the event was over
 * before and is over now. $1 event, $2 epoch, $3 what they knew. See ADR-0089.
 */
const TELL_HOLDERS = {
  name: "catalog-tell-holders",
  text: `
    INSERT INTO notification (dedupe_key, kind, event_id, facts)
    SELECT md5(concat_ws(' ', 'event-change', id, $2::bigint))::uuid, 'event-change', id,
      jsonb_build_object('before', $3::jsonb)
    FROM event
    WHERE id = $1 AND greatest(ends_at, to_timestamp(($3::jsonb ->> 'startsAtMs')::float8 / 1000))
      > clock_timestamp()
    ON CONFLICT (dedupe_key) DO NOTHING`,
} as const;

function concernsHolders(was: Before, { status, startsAt }: EventRecord): boolean {
  return status !== was.status || Date.parse(startsAt) !== was.startsAtMs;
}

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
  const { totalCapacity, date, startTime, endTime, duration, timeZone, startsAt, endsAt, status } =
    record;
  return [totalCapacity, date, startTime, endTime, duration, timeZone, startsAt, endsAt, status];
}

/** Active tickets by the ownership row: the total less what is left to sell. */
const OWNED_SOLD = `(event.total_capacity - (${LEFT_TO_SELL}))::integer AS owned
  FROM event LEFT JOIN event_worker AS worker ON worker.event_id = event.id WHERE event.id = $1`;

async function ownedSold(connection: Connection, id: string): Promise<number> {
  const rows = await connection.query<{ owned: number }>({
    name: "catalog-owned-sold",
    text: `SELECT ${OWNED_SOLD}`,
    values: [id],
  });
  return rows[0]?.owned ?? 0;
}

/**
 * Active tickets, counted one by one, beside the ownership row's number. They differ only if
 * something is damaged: then the change counts again, and so mends it.
 */
async function countSold(
  connection: Connection,
  id: string,
): Promise<{ counted: number; owned: number }> {
  const rows = await connection.query<{ counted: number; owned: number }>({
    name: "catalog-count-sold",
    text: `SELECT (SELECT count(*) FROM event_tickets
        WHERE event_id = $1 AND cancelled_at IS NULL)::integer AS counted, ${OWNED_SOLD}`,
    values: [id],
  });
  return rows[0] ?? { counted: 0, owned: 0 };
}

/**
 * Moves all pending rows of an event into the ledger, failed ones too. Leaves event.capacity
 * alone, because the next statement computes it from what is sold. This also heals rows that
 * failed because their sum broke a CHECK.
 */
async function bookAll(connection: Connection, id: string): Promise<void> {
  await connection.query({
    name: "catalog-book-all",
    text: `
      WITH taken AS (
        DELETE FROM event_ticket_transactions WHERE event_id = $1 RETURNING ${TAKEN}
      ), told AS (${NOTIFY_TAKEN}
      )${NOTE_TAKEN}`,
    values: [id],
  });
}
