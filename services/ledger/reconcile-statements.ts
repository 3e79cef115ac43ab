/**
 * What the tables say of each event ($1: one event, or null for all), each number counted from its own table. `unbooked` is the sum of the rows the
 * ledger has not booked, pending or failed. Run in one snapshot: a sale under way is then in all of the numbers or in none.
 */
export const EVENT_NUMBERS = `
  SELECT event.id AS "eventId", event.total_capacity AS total, event.capacity,
    coalesce(tickets.active, 0) AS active, coalesce(waiting.quantity, 0) AS unbooked, coalesce(waiting.failed, 0) AS failed,
    coalesce(booked.quantity, 0) AS booked, worker.epoch::float8 AS epoch, worker.batch::float8 AS batch
  FROM event
  LEFT JOIN (
    SELECT event_id, count(*)::integer AS active FROM event_tickets
    WHERE cancelled_at IS NULL AND ($1::uuid IS NULL OR event_id = $1) GROUP BY event_id
  ) AS tickets ON tickets.event_id = event.id
  LEFT JOIN (
    SELECT event_id, sum(quantity)::integer AS quantity, count(*) FILTER (WHERE status = 'failed')::integer AS failed
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
 * Purchases (booked or not) whose number of tickets is another than they say, and tickets of a transaction that nobody knows: the sums of an event
 * can be right although two mistakes cancel each other out. $2: how many at most.
 */
export const TRANSACTION_DIFFERENCES = `
  WITH purchases AS (
    SELECT event_id, transaction_id, sum(-quantity)::integer AS quantity
    FROM (
      SELECT event_id, transaction_id, quantity FROM capacity_ledger
      WHERE quantity < 0 AND ($1::uuid IS NULL OR event_id = $1)
      UNION ALL
      SELECT event_id, transaction_id, quantity FROM event_ticket_transactions
      WHERE quantity < 0 AND status <> 'completed' AND ($1::uuid IS NULL OR event_id = $1)
    ) AS sold
    GROUP BY event_id, transaction_id
  ), tickets AS (
    SELECT event_id, transaction_id, count(*)::integer AS quantity FROM event_tickets
    WHERE $1::uuid IS NULL OR event_id = $1
    GROUP BY event_id, transaction_id
  )
  SELECT event_id AS "eventId", encode(transaction_id, 'hex') AS "transactionId",
    coalesce(purchases.quantity, 0) AS expected, coalesce(tickets.quantity, 0) AS found
  FROM purchases FULL JOIN tickets USING (event_id, transaction_id)
  WHERE coalesce(purchases.quantity, 0) <> coalesce(tickets.quantity, 0)
  ORDER BY event_id, transaction_id LIMIT $2`;

/** The backlog as a whole. `oldestPendingMs` is null when nothing waits. */
export const BACKLOG = `
  SELECT count(*) FILTER (WHERE status = 'pending')::integer AS "pendingRows",
    count(*) FILTER (WHERE status = 'failed')::integer AS "failedRows",
    (extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE status = 'pending')) * 1000)::float8 AS "oldestPendingMs"
  FROM event_ticket_transactions`;
