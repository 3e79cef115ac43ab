/**
 * SQL of retention. Each statement leaves an event's books in agreement: reconcile finds nothing
 * after it, so a run may end anywhere.
 */

/** Over for $2 years by PostgreSQL's clock. A postponed event has no date that counts. */
const IS_EXPIRED = `status <> 'postponed'
      AND ends_at < clock_timestamp() - make_interval(years => $2)`;
const NO_PENDING = `NOT EXISTS (SELECT FROM event_ticket_transactions WHERE event_id = $1)`;

/** Expired events of which something is left, the oldest first. $1: years. */
export const EXPIRED_EVENTS = `
  SELECT id FROM event
  WHERE date <= (clock_timestamp() - make_interval(years => $1))::date + 1
    AND ${IS_EXPIRED.replace("$2", "$1")}
    AND (EXISTS (SELECT FROM event_tickets WHERE event_id = event.id)
      OR EXISTS (SELECT FROM capacity_ledger WHERE event_id = event.id))
  ORDER BY date, id`;

/** An event's rows, and whether its sums agree, as reconcile compares them. In one snapshot. */
export const READ_BOOKS = `
  SELECT sold.tickets, booked.rows AS "ledgerRows", waiting.rows AS waiting,
    total_capacity - sold.active = capacity AND booked.sum = -sold.active
      AND (worker.available_epoch IS DISTINCT FROM worker.epoch OR worker.available = capacity)
      AS agree
  FROM event LEFT JOIN event_worker AS worker ON worker.event_id = event.id,
    (SELECT count(*)::integer AS tickets, count(*) FILTER (WHERE cancelled_at IS NULL) AS active
      FROM event_tickets WHERE event_id = $1) AS sold,
    (SELECT count(*)::integer AS rows, coalesce(sum(quantity), 0) AS sum
      FROM capacity_ledger WHERE event_id = $1) AS booked,
    (SELECT count(*)::integer AS rows
      FROM event_ticket_transactions WHERE event_id = $1) AS waiting
  WHERE event.id = $1`;

/**
 * Deletes $3 tickets of an event, rounded up to whole customers, and with them the ledger's rows
 * that name these customers (of releases before 0.3). Notes in the ledger, under epoch $4, what
 * keeps its sum right. Returns the number of tickets.
 */
export const DELETE_TICKETS = `
  WITH expired AS MATERIALIZED (
    SELECT id FROM event WHERE id = $1 AND ${IS_EXPIRED} AND ${NO_PENDING}
  ), cut AS MATERIALIZED (
    SELECT coalesce((SELECT user_id FROM event_tickets WHERE event_id = $1
      ORDER BY user_id OFFSET $3 - 1 LIMIT 1), 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS user_id
    FROM expired
  ), gone AS (
    DELETE FROM event_tickets
    WHERE event_id = $1 AND user_id <= (SELECT user_id FROM cut) RETURNING cancelled_at
  ), unnoted AS (
    DELETE FROM capacity_ledger
    WHERE event_id = $1 AND user_id <= (SELECT user_id FROM cut) RETURNING quantity
  ), freed AS (
    SELECT count(*)::integer AS tickets,
      count(*) FILTER (WHERE cancelled_at IS NULL)::integer AS active,
      (SELECT count(*)::integer FROM unnoted) AS rows,
      (SELECT coalesce(sum(quantity), 0)::integer FROM unnoted) AS quantity
    FROM gone
  ), noted AS (
    INSERT INTO capacity_ledger
      (transaction_id, event_id, quantity, transactions, applied_at, epoch, batch)
    SELECT '\\x', $1, active + quantity, greatest(tickets, rows), statement_timestamp(), $4, 0
    FROM freed WHERE active + quantity <> 0
  ), owned AS (
    UPDATE event_worker SET available = available + active FROM freed WHERE event_id = $1
  ), given_back AS (
    UPDATE event SET capacity = capacity + active FROM freed WHERE id = $1 AND active > 0
  )
  SELECT tickets AS rows FROM freed`;

/**
 * Deletes $3 ledger rows of an event without tickets, in the order of their key. Carries their sum
 * forward in one row, the first of the key; all together sum to 0. Returns their number.
 */
export const DELETE_LEDGER_ROWS = `
  WITH part AS MATERIALIZED (
    SELECT epoch, batch, transaction_id FROM capacity_ledger
    WHERE event_id = (SELECT id FROM event WHERE id = $1 AND ${IS_EXPIRED} AND ${NO_PENDING}
      AND capacity = total_capacity AND NOT EXISTS (SELECT FROM event_tickets WHERE event_id = $1))
    ORDER BY epoch, batch, transaction_id LIMIT $3
  ), gone AS (
    DELETE FROM capacity_ledger AS booked USING part
    WHERE booked.event_id = $1 AND booked.epoch = part.epoch AND booked.batch = part.batch
      AND booked.transaction_id = part.transaction_id
    RETURNING booked.quantity, booked.transactions
  ), carried AS (
    INSERT INTO capacity_ledger
      (transaction_id, event_id, quantity, transactions, applied_at, epoch, batch)
    SELECT '\\x', $1, sum(quantity), sum(transactions), statement_timestamp(), 0, 0 FROM gone
    HAVING sum(quantity) <> 0
  )
  SELECT count(*)::integer AS rows FROM gone WHERE $4::bigint IS NOT NULL`;
