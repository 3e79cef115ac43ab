import type { Connection } from "./pool.ts";

/**
 * Rows that one statement books, rounded up to whole batches. Limits how long the events' rows are
 * locked.
 */
export const PREFIX_MAX = 50_000;

/** PostgreSQL's largest integer: more rows than any event has pending. */
export const WHOLE_BACKLOG = 2_147_483_647;

/**
 * Locks events in the order of their ids, so that two callers cannot deadlock. Returns the ids that
 * exist.
 *
 * Lock order everywhere: event_worker, event, pending rows. The worker's own statement never
 * touches an event's row, so no sale waits for this lock.
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

// Use the index on event, epoch and batch. The table swings between empty and hundreds of thousands
// of rows within a minute, so a plan from statistics fits only for a short time and booking slows
// down. The index scan also marks dead entries, which later scans skip.
const FOLLOW_THE_INDEX = {
  name: "follow-the-index",
  text: `
    SELECT set_config('enable_seqscan', 'off', true),
      set_config('enable_bitmapscan', 'off', true)`,
};

/**
 * Notes the rows that a statement has removed from the pending rows (`taken`) in the ledger: one
 * row per batch, with an empty transaction id. Its primary key refuses to book a batch twice.
 */
export const NOTE_TAKEN = `
    INSERT INTO capacity_ledger
      (transaction_id, event_id, quantity, transactions, applied_at, epoch, batch)
    SELECT '\\x', event_id, sum(quantity), count(*), statement_timestamp(), epoch, batch
    FROM taken GROUP BY event_id, epoch, batch`;

/**
 * Writes the notifications of the rows that a statement has removed (`taken`): a receipt per
 * purchase, keyed by the transaction's id, and one notice of all tickets that a customer has
 * cancelled in a batch. Customers without account get none. See ADR-0089.
 */
export const NOTIFY_TAKEN = `
    INSERT INTO notification (dedupe_key, kind, account_id, event_id, facts)
    SELECT cause.key, cause.kind, cause.user_id, cause.event_id, cause.facts
    FROM (
      SELECT encode(substr(transaction_id, 1, 16), 'hex')::uuid AS key, 'receipt' AS kind, user_id,
        event_id, '{}'::jsonb AS facts
      FROM taken WHERE quantity < 0
      UNION ALL
      SELECT md5(concat_ws(' ', 'cancellation', event_id, user_id,
          extract(epoch FROM created_at)))::uuid,
        'cancellation', user_id, event_id, jsonb_build_object('cancelledAt', created_at)
      FROM taken WHERE quantity > 0 GROUP BY event_id, user_id, created_at
    ) AS cause JOIN user_account ON user_account.id = cause.user_id
    ON CONFLICT (dedupe_key) DO NOTHING`;

/** The columns of `taken` that the two statements above read. */
export const TAKEN = "event_id, user_id, transaction_id, quantity, epoch, batch, created_at";

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
    RETURNING pending.event_id, user_id, transaction_id, quantity, pending.epoch, pending.batch,
      created_at
  ), noted AS (${NOTE_TAKEN}
  ), told AS (${NOTIFY_TAKEN}
  ), moved AS (
    SELECT event_id, sum(quantity)::integer AS quantity, count(*)::integer AS rows
    FROM taken GROUP BY event_id
  )
  UPDATE event SET capacity = capacity + moved.quantity
  FROM moved JOIN cut USING (event_id)
  WHERE event.id = moved.event_id
  RETURNING event.id AS "eventId", moved.rows, moved.quantity, cut.epoch IS NOT NULL AS more`;

/**
 * `rows` transactions of this event were booked and changed its capacity by `quantity`. `more`:
 * others may be pending.
 */
export type Booked = { eventId: string; rows: number; quantity: number; more: boolean };

/**
 * Books pending rows: moves them into the ledger and their sum into the events' capacity, in one
 * statement, which also writes the customers' receipts.
 *
 * Of a backlog of `prefixMax` rows or more (shared by the events) it takes the oldest whole
 * batches, up to one batch more. A prefix in commit order never breaks the CHECK; an arbitrary part
 * might. Events without pending rows are missing from the result.
 *
 * Call it in a transaction that holds the events' rows (`lockEvents`), so that its snapshot sees
 * all earlier commits. Later statements of the transaction are planned without sequential scans.
 * Rejects with SQLSTATE 23514 if a capacity would leave its bounds; nothing is booked then.
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
