/**
 * Counts each event's numbers from their own tables ($1: one event, or null for all). `unbooked` is
 * the sum of the rows the ledger has not booked, pending or failed. Run it in one snapshot: a sale
 * is then in all of the numbers or in none.
 */
export const EVENT_NUMBERS = `
  SELECT event.id AS "eventId", event.total_capacity AS total, event.capacity,
    coalesce(tickets.active, 0) AS active, coalesce(waiting.quantity, 0) AS unbooked,
      coalesce(waiting.failed, 0) AS failed,
    coalesce(booked.quantity, 0) AS booked, worker.epoch::float8 AS epoch,
      worker.batch::float8 AS batch
  FROM event
  LEFT JOIN (
    SELECT event_id, count(*)::integer AS active FROM event_tickets
    WHERE cancelled_at IS NULL AND ($1::uuid IS NULL OR event_id = $1) GROUP BY event_id
  ) AS tickets ON tickets.event_id = event.id
  LEFT JOIN (
    SELECT event_id, sum(quantity)::integer AS quantity,
      count(*) FILTER (WHERE status = 'failed')::integer AS failed
    FROM event_ticket_transactions
    WHERE status <> 'completed' AND ($1::uuid IS NULL OR event_id = $1) GROUP BY event_id
  ) AS waiting ON waiting.event_id = event.id
  LEFT JOIN (
    SELECT event_id, sum(quantity)::integer AS quantity FROM capacity_ledger
    WHERE $1::uuid IS NULL OR event_id = $1 GROUP BY event_id
  ) AS booked ON booked.event_id = event.id
  LEFT JOIN event_worker AS worker ON worker.event_id = event.id
  WHERE $1::uuid IS NULL OR event.id = $1
  ORDER BY event.id`;

/**
 * Finds purchases (booked or not) whose customer has another number of tickets than they say,
 * tickets of an unknown transaction, and tickets not numbered 1, 2, 3. An event's sums can agree
 * although two faults cancel each other out. $2: rows at most.
 */
export const TRANSACTION_DIFFERENCES = `
  WITH purchases AS (
    SELECT event_id, transaction_id, user_id, sum(-quantity)::integer AS quantity
    FROM (
      SELECT event_id, transaction_id, user_id, quantity FROM capacity_ledger
      WHERE quantity < 0 AND ($1::uuid IS NULL OR event_id = $1)
      UNION ALL
      SELECT event_id, transaction_id, user_id, quantity FROM event_ticket_transactions
      WHERE quantity < 0 AND status <> 'completed' AND ($1::uuid IS NULL OR event_id = $1)
    ) AS sold
    GROUP BY event_id, transaction_id, user_id
  ), tickets AS (
    SELECT event_id, transaction_id, user_id, count(*)::integer AS quantity, min(ordinal) = 1
      AND max(ordinal) = count(*) AS numbered
    FROM event_tickets WHERE $1::uuid IS NULL OR event_id = $1
    GROUP BY event_id, transaction_id, user_id
  )
  SELECT CASE WHEN purchases.quantity = tickets.quantity THEN 'ordinals' ELSE 'transaction' END AS
    kind,
    event_id AS "eventId", encode(transaction_id, 'hex') AS "transactionId", user_id AS "userId",
    coalesce(purchases.quantity, 0) AS expected, coalesce(tickets.quantity, 0) AS found
  FROM purchases FULL JOIN tickets USING (event_id, transaction_id, user_id)
  WHERE coalesce(purchases.quantity, 0) <> coalesce(tickets.quantity, 0) OR NOT tickets.numbered
  ORDER BY event_id, transaction_id, user_id LIMIT $2`;

/**
 * Finds customers whose cancellations, booked or not, differ in number from their cancelled tickets
 * of the event. A cancellation's id names its ticket only to the owner of the secret, so they are
 * compared by customer.
 */
export const CANCELLATION_DIFFERENCES = `
  WITH cancellations AS (
    SELECT event_id, user_id, sum(quantity)::integer AS quantity
    FROM (
      SELECT event_id, user_id, quantity FROM capacity_ledger WHERE quantity > 0
        AND ($1::uuid IS NULL OR event_id = $1)
      UNION ALL
      SELECT event_id, user_id, quantity FROM event_ticket_transactions
      WHERE quantity > 0 AND status <> 'completed' AND ($1::uuid IS NULL OR event_id = $1)
    ) AS given_back
    GROUP BY event_id, user_id
  ), tickets AS (
    SELECT event_id, user_id, count(*)::integer AS quantity FROM event_tickets
    WHERE cancelled_at IS NOT NULL AND ($1::uuid IS NULL OR event_id = $1)
      GROUP BY event_id, user_id
  )
  SELECT 'cancellation' AS kind, event_id AS "eventId", user_id AS "userId",
    coalesce(tickets.quantity, 0) AS expected, coalesce(cancellations.quantity, 0) AS found
  FROM cancellations FULL JOIN tickets USING (event_id, user_id)
  WHERE coalesce(cancellations.quantity, 0) <> coalesce(tickets.quantity, 0)
  ORDER BY event_id, user_id LIMIT $2`;

/**
 * Counts rows that must not exist, by event (transactions that were booked twice one by one). Every
 * kind should be 0.
 */
export const STRAY_ROWS = `
  WITH named AS (
    SELECT event_id, count(*) AS rows FROM event_tickets WHERE $1::uuid IS NULL OR event_id = $1
      GROUP BY event_id
    UNION ALL
    SELECT event_id, count(*) FROM capacity_ledger WHERE $1::uuid IS NULL OR event_id = $1
      GROUP BY event_id
    UNION ALL
    SELECT event_id, count(*) FROM event_ticket_transactions WHERE $1::uuid IS NULL OR event_id = $1
      GROUP BY event_id
  )
  SELECT kind, event_id AS "eventId", "transactionId", 0 AS expected, rows::integer AS found
  FROM (
    SELECT 'unknown-event' AS kind, event_id, NULL AS "transactionId", sum(rows) AS rows
    FROM named WHERE NOT EXISTS (SELECT FROM event WHERE id = event_id) GROUP BY event_id
    UNION ALL
    SELECT 'booked-twice', waiting.event_id, encode(transaction_id, 'hex'), 1
    FROM event_ticket_transactions AS waiting JOIN capacity_ledger USING (event_id, transaction_id)
    WHERE $1::uuid IS NULL OR waiting.event_id = $1
    UNION ALL
    SELECT 'epoch', waiting.event_id, NULL, count(*)
    FROM event_ticket_transactions AS waiting LEFT JOIN event_worker AS worker USING (event_id)
    WHERE ($1::uuid IS NULL OR waiting.event_id = $1)
      AND (worker.epoch IS NULL OR (waiting.epoch, waiting.batch) > (worker.epoch, worker.batch))
    GROUP BY waiting.event_id
    UNION ALL
    SELECT 'completed-rows', event_id, NULL, count(*) FROM event_ticket_transactions
    WHERE status = 'completed' AND ($1::uuid IS NULL OR event_id = $1) GROUP BY event_id
    UNION ALL
    SELECT 'empty-rows', event_id, NULL, count(*) FROM capacity_ledger
    WHERE quantity = 0 AND ($1::uuid IS NULL OR event_id = $1) GROUP BY event_id
    UNION ALL
    SELECT 'ticket-date', ticket.event_id, NULL, count(*)
    FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id
    WHERE ticket.event_date <> event.date AND event.ticket_move_epoch IS NULL
      AND ($1::uuid IS NULL OR ticket.event_id = $1)
      GROUP BY ticket.event_id
  ) AS stray
  ORDER BY event_id, kind, "transactionId" LIMIT $2`;

/** The backlog as a whole. `oldestPendingMs` is null when nothing waits. */
export const BACKLOG = `
  SELECT count(*) FILTER (WHERE status = 'pending')::integer AS "pendingRows",
    count(*) FILTER (WHERE status = 'failed')::integer AS "failedRows",
    (extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE status = 'pending')) *
      1000)::float8 AS "oldestPendingMs"
  FROM event_ticket_transactions`;
