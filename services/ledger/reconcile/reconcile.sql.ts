/** Bounds of some events with all their customers: $1 and $2, inclusive. */
const OF_EVENTS = "event_id BETWEEN $1 AND $2";
/**
 * Bounds of some customers of one event: $1, then $2 and $3, inclusive. An index by event and
 * customer is read within these bounds only if the event is compared by "=".
 */
const OF_CUSTOMERS = "event_id = $1 AND user_id BETWEEN $2 AND $3";

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
 * has not booked, pending or failed. One statement is one snapshot: a sale is in all of the numbers
 * or in none. Beside them it counts rows that must not exist, in the same scan. An event that rows
 * name and `event` lacks has no `total`.
 */
export const EVENT_NUMBERS = `
  WITH dated AS (
    SELECT event_id, event_date, count(*) AS rows,
      count(*) FILTER (WHERE cancelled_at IS NULL) AS active
    FROM event_tickets WHERE ${OF_EVENTS} GROUP BY event_id, event_date
  ), tickets AS (
    SELECT event_id, sum(rows) AS rows, sum(active)::integer AS active,
      coalesce(sum(rows) FILTER (WHERE event_date <> event.date
        AND event.ticket_move_epoch IS NULL), 0)::integer AS misdated
    FROM dated LEFT JOIN event ON event.id = event_id GROUP BY event_id
  ), waiting AS (
    SELECT event_id, count(*) AS rows,
      coalesce(sum(quantity) FILTER (WHERE status <> 'completed'), 0)::integer AS quantity,
      count(*) FILTER (WHERE status = 'failed')::integer AS failed,
      count(*) FILTER (WHERE status = 'completed')::integer AS completed
    FROM event_ticket_transactions WHERE ${OF_EVENTS} GROUP BY event_id
  ), booked AS (
    SELECT event_id, count(*) AS rows, sum(quantity)::integer AS quantity,
      count(*) FILTER (WHERE quantity = 0 AND transaction_id <> '\\x'
        OR transactions < 1)::integer AS empty
    FROM capacity_ledger WHERE ${OF_EVENTS} GROUP BY event_id
  ), known AS (
    SELECT id AS event_id, total_capacity, capacity FROM event WHERE id BETWEEN $1 AND $2
  )
  SELECT event_id AS "eventId", known.total_capacity AS total, known.capacity,
    coalesce(tickets.active, 0) AS active, coalesce(waiting.quantity, 0) AS unbooked,
      coalesce(waiting.failed, 0) AS failed, coalesce(booked.quantity, 0) AS booked,
    worker.epoch::float8 AS epoch, worker.batch::float8 AS batch,
    CASE WHEN worker.available_epoch = worker.epoch THEN worker.available END AS available,
    (coalesce(tickets.rows, 0) + coalesce(waiting.rows, 0)
      + coalesce(booked.rows, 0))::integer AS rows,
    coalesce(tickets.misdated, 0) AS misdated, coalesce(waiting.completed, 0) AS completed,
    coalesce(booked.empty, 0) AS empty
  FROM known FULL JOIN tickets USING (event_id) FULL JOIN waiting USING (event_id)
    FULL JOIN booked USING (event_id) LEFT JOIN event_worker AS worker USING (event_id)
  ORDER BY event_id`;

/**
 * Finds purchases whose customer has another number of tickets than they say, where a row of their
 * own is left: those that wait, and those that the ledger booked one by one until release 0.2; and
 * tickets not numbered 1, 2, 3. An event's sums can agree although two faults cancel each other
 * out.
 */
const transactionDifferences = (bounds: string, limit: string): string => `
  WITH purchases AS (
    SELECT event_id, transaction_id, user_id, sum(-quantity)::integer AS quantity
    FROM (
      SELECT event_id, transaction_id, user_id, quantity FROM capacity_ledger
      WHERE quantity < 0 AND user_id IS NOT NULL AND ${bounds}
      UNION ALL
      SELECT event_id, transaction_id, user_id, quantity FROM event_ticket_transactions
      WHERE quantity < 0 AND status <> 'completed' AND ${bounds}
    ) AS sold
    GROUP BY event_id, transaction_id, user_id
  ), tickets AS (
    SELECT event_id, transaction_id, user_id, count(*)::integer AS quantity, min(ordinal) = 1
      AND max(ordinal) = count(*) AS numbered
    FROM event_tickets WHERE ${bounds}
    GROUP BY event_id, transaction_id, user_id
  )
  SELECT CASE WHEN purchases.quantity <> coalesce(tickets.quantity, 0) THEN 'transaction'
    ELSE 'ordinals' END AS kind,
    event_id AS "eventId", encode(transaction_id, 'hex') AS "transactionId", user_id AS "userId",
    coalesce(purchases.quantity, tickets.quantity) AS expected,
    coalesce(tickets.quantity, 0) AS found
  FROM purchases FULL JOIN tickets USING (event_id, transaction_id, user_id)
  WHERE purchases.quantity <> coalesce(tickets.quantity, 0) OR NOT tickets.numbered
  ORDER BY event_id, transaction_id, user_id LIMIT ${limit}`;

/**
 * Finds customers with more cancellations than cancelled tickets of the event, among cancellations
 * with a row of their own. A cancellation's id names its ticket only to the owner of the secret, so
 * they are compared by customer.
 */
const cancellationDifferences = (bounds: string, limit: string): string => `
  WITH cancellations AS (
    SELECT event_id, user_id, sum(quantity)::integer AS quantity
    FROM (
      SELECT event_id, user_id, quantity FROM capacity_ledger
      WHERE quantity > 0 AND user_id IS NOT NULL AND ${bounds}
      UNION ALL
      SELECT event_id, user_id, quantity FROM event_ticket_transactions
      WHERE quantity > 0 AND status <> 'completed' AND ${bounds}
    ) AS given_back
    GROUP BY event_id, user_id
  ), tickets AS (
    SELECT event_id, user_id, count(*)::integer AS quantity FROM event_tickets
    WHERE cancelled_at IS NOT NULL AND ${bounds}
      GROUP BY event_id, user_id
  )
  SELECT 'cancellation' AS kind, event_id AS "eventId", user_id AS "userId",
    coalesce(tickets.quantity, 0) AS expected, cancellations.quantity AS found
  FROM cancellations LEFT JOIN tickets USING (event_id, user_id)
  WHERE cancellations.quantity > coalesce(tickets.quantity, 0)
  ORDER BY event_id, user_id LIMIT ${limit}`;

/** Rows at most: the parameter after the bounds. */
const COMPARISONS = [transactionDifferences, cancellationDifferences];
/** What is compared by customer: of some events ($3: rows at most), or of customers ($4). */
export const EVENTS_COMPARED = COMPARISONS.map((text) => text(OF_EVENTS, "$3"));
export const CUSTOMERS_COMPARED = COMPARISONS.map((text) => text(OF_CUSTOMERS, "$4"));

/**
 * Finds waiting rows that the ledger has booked, one by one or with their batch, and counts those
 * that no worker can have written. $3: rows at most.
 */
export const WAITING_DIFFERENCES = `
  WITH waiting AS MATERIALIZED (
    SELECT event_id, transaction_id, epoch, batch FROM event_ticket_transactions
    WHERE ${OF_EVENTS}
  )
  SELECT kind, event_id AS "eventId", "transactionId", 0 AS expected, rows::integer AS found
  FROM (
    SELECT 'booked-twice' AS kind, event_id, encode(transaction_id, 'hex') AS "transactionId",
      1 AS rows
    FROM waiting WHERE EXISTS (SELECT FROM capacity_ledger AS booked
      WHERE booked.event_id = waiting.event_id AND booked.transaction_id = waiting.transaction_id)
    UNION
    SELECT 'booked-twice', event_id, encode(transaction_id, 'hex'), 1
    FROM waiting WHERE EXISTS (SELECT FROM capacity_ledger AS booked
      WHERE booked.event_id = waiting.event_id AND booked.epoch = waiting.epoch
        AND booked.batch = waiting.batch AND booked.transaction_id = '\\x')
    UNION ALL
    SELECT 'epoch', event_id, NULL, count(*)
    FROM waiting LEFT JOIN event_worker AS worker USING (event_id)
    WHERE worker.epoch IS NULL OR (waiting.epoch, waiting.batch) > (worker.epoch, worker.batch)
    GROUP BY event_id
  ) AS found
  ORDER BY event_id, kind, "transactionId" LIMIT $3`;

/** The backlog as a whole. `oldestPendingMs` is null when nothing waits. */
export const BACKLOG = `
  SELECT count(*) FILTER (WHERE status = 'pending')::integer AS "pendingRows",
    count(*) FILTER (WHERE status = 'failed')::integer AS "failedRows",
    (extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE status = 'pending')) *
      1000)::float8 AS "oldestPendingMs"
  FROM event_ticket_transactions`;
