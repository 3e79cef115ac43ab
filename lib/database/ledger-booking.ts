import type { Connection } from "./pool.ts";

/** Rows one statement moves, up to whole batches: 0.4 s of work, measured, and the events' rows are locked as long. */
export const PREFIX_MAX = 50_000;

/** More rows than any event has pending, as PostgreSQL's integer can say it. */
export const WHOLE_BACKLOG = 2_147_483_647;

/**
 * Locks the events in the order of their ids, the order of everyone who locks several. Returns those that exist.
 * Lock order everywhere: event_worker, event, pending rows; the worker's own statement never touches an event's row, so nobody who sells waits for this.
 */
export async function lockEvents(
  connection: Connection,
  eventIds: readonly string[],
): Promise<string[]> {
  const rows = await connection.query<{ id: string }>({
    name: "lock-events",
    text: "SELECT id FROM event WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
    values: [eventIds],
  });
  return rows.map(({ id }) => id);
}

// The table swings between empty and hundreds of thousands of rows, most of them dead, within a minute, so no plan made from statistics fits for
// long: left alone, booking 500 rows slowed from 5 ms to 20 ms within 600 batches. A plain scan of the index by event, epoch and batch (which
// also marks the dead entries it meets, so that the next one skips them) stays at 5 ms.
const FOLLOW_THE_INDEX = {
  name: "follow-the-index",
  text: "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)",
};

/** Enters into the ledger what a statement has taken out of the pending rows, as `taken`. */
export const NOTE_TAKEN = `
    INSERT INTO capacity_ledger (transaction_id, event_id, user_id, quantity, applied_at, epoch, batch)
    SELECT transaction_id, event_id, user_id, quantity, statement_timestamp(), epoch, batch FROM taken`;

export const BOOK_PENDING = `
  WITH cut AS (
    SELECT named.id AS event_id, last.epoch, last.batch
    FROM unnest($1::uuid[]) AS named (id)
    LEFT JOIN LATERAL (
      SELECT epoch, batch FROM event_ticket_transactions
      WHERE event_id = named.id AND status = 'pending'
      ORDER BY epoch, batch OFFSET $2 - 1 LIMIT 1
    ) AS last ON true
  ), taken AS (
    DELETE FROM event_ticket_transactions AS pending USING cut
    WHERE pending.event_id = cut.event_id AND pending.status = 'pending'
      AND (cut.epoch IS NULL OR (pending.epoch, pending.batch) <= (cut.epoch, cut.batch))
    RETURNING pending.transaction_id, pending.event_id, pending.user_id, pending.quantity, pending.epoch, pending.batch
  ), noted AS (${NOTE_TAKEN}
  ), moved AS (
    SELECT event_id, sum(quantity)::integer AS quantity, count(*)::integer AS rows FROM taken GROUP BY event_id
  )
  UPDATE event SET capacity = capacity + moved.quantity
  FROM moved JOIN cut USING (event_id)
  WHERE event.id = moved.event_id
  RETURNING event.id AS "eventId", moved.rows, moved.quantity, cut.epoch IS NOT NULL AS more`;

/** `rows` transactions of this event are booked, which changed its capacity by `quantity`; `more`: there may be more of them. */
export type Booked = { eventId: string; rows: number; quantity: number; more: boolean };

/**
 * Moves the pending rows of events into the ledger and their sum into the events' capacity, in one statement. Of a backlog of `prefixMax` rows
 * or more (shared by the events) it takes the oldest whole batches (so up to a batch more): a prefix in the order of commits never breaks the CHECK, an
 * arbitrary part might. Events without pending rows are not in the answer.
 *
 * Call it in a transaction that holds the events' rows (`lockEvents`), so that this statement's snapshot sees what the one before committed; the
 * transaction's later statements are planned without sequential scans.
 * Rejects with SQLSTATE 23514 when a capacity would leave its bounds; nothing is booked then.
 */
export async function bookPending(
  connection: Connection,
  eventIds: readonly string[],
  prefixMax: number = PREFIX_MAX,
): Promise<Booked[]> {
  if (eventIds.length === 0) return [];
  await connection.query(FOLLOW_THE_INDEX);
  return connection.query<Booked>({
    text: BOOK_PENDING,
    values: [eventIds, Math.max(1, Math.floor(prefixMax / eventIds.length))],
  });
}
