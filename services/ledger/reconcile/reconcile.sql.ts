/**
 * Rows of a part. Statements of a part have the parameters $1 and $2 (first and last event), $3 and
 * $4 (first and last customer). A part is some events with all their customers, or one large event
 * with some of its customers.
 */
const boundsOf = (table: string): string =>
  `${table}.event_id BETWEEN $1 AND $2 AND ${table}.user_id BETWEEN $3 AND $4`;
const BOUNDS = "event_id BETWEEN $1 AND $2 AND user_id BETWEEN $3 AND $4";
/** The ledger's rows of whole batches name no customer. The first part of an event has them. */
const LEDGER_BOUNDS = `event_id BETWEEN $1 AND $2
  AND coalesce(user_id, '00000000-0000-0000-0000-000000000000') BETWEEN $3 AND $4`;

/**
 * Reads parts by their indexes. Without it a table that has grown since its last ANALYZE may be
 * read as a whole for each part.
 */
export const FOLLOW_THE_INDEX = "SET LOCAL enable_seqscan = off";

/**
 * The first event of the next part (null: none). $1: first event of this part, $2: events at most,
 * $3: rows of a table at most. The result is $1 where its event alone has more rows.
 */
export const NEXT_EVENT = `
  SELECT least(
    (SELECT id FROM event WHERE id >= $1 ORDER BY id OFFSET $2 LIMIT 1),
    ${["event_tickets", "capacity_ledger", "event_ticket_transactions"]
      .map(
        (table) =>
          `(SELECT event_id FROM ${table} WHERE event_id >= $1 ORDER BY event_id OFFSET $3 LIMIT 1)`,
      )
      .join(",\n    ")}
  ) AS next`;

/** The first customer of a large event's next part (null: none). $2: that of this part. */
export const NEXT_CUSTOMER = `
  SELECT user_id AS next FROM event_tickets WHERE event_id = $1 AND user_id >= $2
  ORDER BY user_id OFFSET $3 LIMIT 1`;

/**
 * Counts each event's numbers from their own tables. `unbooked` is the sum of the rows the ledger
 * has not booked, pending or failed. Run it in one snapshot: a sale is then in all of the numbers
 * or in none. The parts of a large event are added.
 */
export const EVENT_NUMBERS = `
  SELECT event.id AS "eventId", event.total_capacity AS total, event.capacity,
    coalesce(tickets.active, 0) AS active, coalesce(waiting.quantity, 0) AS unbooked,
      coalesce(waiting.failed, 0) AS failed,
    coalesce(booked.quantity, 0) AS booked, worker.epoch::float8 AS epoch,
      worker.batch::float8 AS batch,
    CASE WHEN worker.available_epoch = worker.epoch THEN worker.available END AS available
  FROM event
  LEFT JOIN (
    SELECT event_id, count(*)::integer AS active FROM event_tickets
    WHERE cancelled_at IS NULL AND ${BOUNDS} GROUP BY event_id
  ) AS tickets ON tickets.event_id = event.id
  LEFT JOIN (
    SELECT event_id, sum(quantity)::integer AS quantity,
      count(*) FILTER (WHERE status = 'failed')::integer AS failed
    FROM event_ticket_transactions
    WHERE status <> 'completed' AND ${BOUNDS} GROUP BY event_id
  ) AS waiting ON waiting.event_id = event.id
  LEFT JOIN (
    SELECT event_id, sum(quantity)::integer AS quantity FROM capacity_ledger
    WHERE ${LEDGER_BOUNDS} GROUP BY event_id
  ) AS booked ON booked.event_id = event.id
  LEFT JOIN event_worker AS worker ON worker.event_id = event.id
  WHERE event.id BETWEEN $1 AND $2
  ORDER BY event.id`;

/**
 * Finds purchases whose customer has another number of tickets than they say, where a row of their
 * own is left: those that wait, and those that the ledger booked one by one until release 0.2; and
 * tickets not numbered 1, 2, 3. An event's sums can agree although two faults cancel each other
 * out. $5: rows at most.
 */
export const TRANSACTION_DIFFERENCES = `
  WITH purchases AS (
    SELECT event_id, transaction_id, user_id, sum(-quantity)::integer AS quantity
    FROM (
      SELECT event_id, transaction_id, user_id, quantity FROM capacity_ledger
      WHERE quantity < 0 AND ${BOUNDS}
      UNION ALL
      SELECT event_id, transaction_id, user_id, quantity FROM event_ticket_transactions
      WHERE quantity < 0 AND status <> 'completed' AND ${BOUNDS}
    ) AS sold
    GROUP BY event_id, transaction_id, user_id
  ), tickets AS (
    SELECT event_id, transaction_id, user_id, count(*)::integer AS quantity, min(ordinal) = 1
      AND max(ordinal) = count(*) AS numbered
    FROM event_tickets WHERE ${BOUNDS}
    GROUP BY event_id, transaction_id, user_id
  )
  SELECT CASE WHEN purchases.quantity <> coalesce(tickets.quantity, 0) THEN 'transaction'
    ELSE 'ordinals' END AS kind,
    event_id AS "eventId", encode(transaction_id, 'hex') AS "transactionId", user_id AS "userId",
    coalesce(purchases.quantity, tickets.quantity) AS expected,
    coalesce(tickets.quantity, 0) AS found
  FROM purchases FULL JOIN tickets USING (event_id, transaction_id, user_id)
  WHERE purchases.quantity <> coalesce(tickets.quantity, 0) OR NOT tickets.numbered
  ORDER BY event_id, transaction_id, user_id LIMIT $5`;

/**
 * Finds customers with more cancellations than cancelled tickets of the event, among cancellations
 * with a row of their own. A cancellation's id names its ticket only to the owner of the secret, so
 * they are compared by customer.
 */
export const CANCELLATION_DIFFERENCES = `
  WITH cancellations AS (
    SELECT event_id, user_id, sum(quantity)::integer AS quantity
    FROM (
      SELECT event_id, user_id, quantity FROM capacity_ledger WHERE quantity > 0
        AND ${BOUNDS}
      UNION ALL
      SELECT event_id, user_id, quantity FROM event_ticket_transactions
      WHERE quantity > 0 AND status <> 'completed' AND ${BOUNDS}
    ) AS given_back
    GROUP BY event_id, user_id
  ), tickets AS (
    SELECT event_id, user_id, count(*)::integer AS quantity FROM event_tickets
    WHERE cancelled_at IS NOT NULL AND ${BOUNDS}
      GROUP BY event_id, user_id
  )
  SELECT 'cancellation' AS kind, event_id AS "eventId", user_id AS "userId",
    coalesce(tickets.quantity, 0) AS expected, cancellations.quantity AS found
  FROM cancellations LEFT JOIN tickets USING (event_id, user_id)
  WHERE cancellations.quantity > coalesce(tickets.quantity, 0)
  ORDER BY event_id, user_id LIMIT $5`;

/**
 * Counts rows that must not exist, by event (transactions that were booked twice one by one). Every
 * kind should be 0.
 */
export const STRAY_ROWS = `
  WITH named AS (
    SELECT event_id, count(*) AS rows FROM event_tickets WHERE ${BOUNDS}
      GROUP BY event_id
    UNION ALL
    SELECT event_id, count(*) FROM capacity_ledger WHERE ${LEDGER_BOUNDS}
      GROUP BY event_id
    UNION ALL
    SELECT event_id, count(*) FROM event_ticket_transactions WHERE ${BOUNDS}
      GROUP BY event_id
  )
  SELECT kind, event_id AS "eventId", "transactionId", 0 AS expected, rows::integer AS found
  FROM (
    SELECT 'unknown-event' AS kind, event_id, NULL AS "transactionId", sum(rows) AS rows
    FROM named WHERE NOT EXISTS (SELECT FROM event WHERE id = event_id) GROUP BY event_id
    UNION ALL
    SELECT 'booked-twice', waiting.event_id, encode(waiting.transaction_id, 'hex'), 1
    FROM event_ticket_transactions AS waiting
    WHERE ${boundsOf("waiting")} AND EXISTS (
      SELECT FROM capacity_ledger AS booked WHERE booked.event_id = waiting.event_id
        AND (booked.transaction_id = waiting.transaction_id OR booked.transaction_id = '\\x'
          AND booked.epoch = waiting.epoch AND booked.batch = waiting.batch))
    UNION ALL
    SELECT 'epoch', waiting.event_id, NULL, count(*)
    FROM event_ticket_transactions AS waiting LEFT JOIN event_worker AS worker USING (event_id)
    WHERE ${boundsOf("waiting")}
      AND (worker.epoch IS NULL OR (waiting.epoch, waiting.batch) > (worker.epoch, worker.batch))
    GROUP BY waiting.event_id
    UNION ALL
    SELECT 'completed-rows', event_id, NULL, count(*) FROM event_ticket_transactions
    WHERE status = 'completed' AND ${BOUNDS} GROUP BY event_id
    UNION ALL
    SELECT 'empty-rows', event_id, NULL, count(*) FROM capacity_ledger
    WHERE (quantity = 0 AND transaction_id <> '\\x' OR transactions < 1) AND ${LEDGER_BOUNDS}
    GROUP BY event_id
    UNION ALL
    SELECT 'ticket-date', ticket.event_id, NULL, count(*)
    FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id
    WHERE ticket.event_date <> event.date AND event.ticket_move_epoch IS NULL
      AND ${boundsOf("ticket")}
      GROUP BY ticket.event_id
  ) AS stray
  ORDER BY event_id, kind, "transactionId" LIMIT $5`;

/** The backlog as a whole. `oldestPendingMs` is null when nothing waits. */
export const BACKLOG = `
  SELECT count(*) FILTER (WHERE status = 'pending')::integer AS "pendingRows",
    count(*) FILTER (WHERE status = 'failed')::integer AS "failedRows",
    (extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE status = 'pending')) *
      1000)::float8 AS "oldestPendingMs"
  FROM event_ticket_transactions`;
