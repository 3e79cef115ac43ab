/**
 * SQL of the worker. Each statement has a name, is prepared once per connection and knows no rules:
 * it makes a step atomic and checks the fence.
 *
 * Until ANALYZE runs, PostgreSQL's statistics of a hot event are too low, and it would read all its
 * tickets for each batch in place of looking ids up. So a ticket's event is compared in a CASE, for
 * which no index serves, and customers' tickets and purchases are looked up one by one
 * (test/purchasing/worker-query-plans.int.test.ts).
 */

export const CLOCK_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::float8";

/**
 * A ticket as the contract shows it, from rows of event_tickets (ticket) and event. The date is the
 * event's: after an import has moved it, the tickets' own dates follow in parts.
 */
export const TICKET_COLUMNS = `
  ticket.id, ticket.event_id AS "eventId", event.name AS "eventName", event.location,
    to_char(event.date, 'YYYY-MM-DD') AS "eventDate", event.status AS "eventStatus",
  encode(ticket.transaction_id, 'hex') AS "transactionId",
    CASE WHEN ticket.cancelled_at IS NULL THEN 'active' ELSE 'cancelled' END AS status,
  to_char(ticket.purchased_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "purchasedAt",
  to_char(ticket.cancelled_at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "cancelledAt"`;

const LOADED_EVENT = `
  name AS "eventName", location, to_char(date, 'YYYY-MM-DD') AS "eventDate",
    status, (extract(epoch FROM starts_at) * 1000)::float8 AS "startsAtMs",
    (extract(epoch FROM ends_at) * 1000)::float8 AS "endsAtMs",
    coalesce(worker.available, 0) AS available, ${CLOCK_MS} AS "clockMs"
  FROM event JOIN event_worker AS worker ON worker.event_id = event.id`;

/**
 * Run it after the epoch was committed, as a statement of its own: only then does it see all that
 * earlier epochs sold. `available` is the ownership row's, never null under the caller's epoch.
 */
export const LOAD_EVENT = {
  name: "worker-load-event",
  text: `SELECT ${LOADED_EVENT} WHERE event.id = $1`,
} as const;

/** `LOAD_EVENT` for several events. */
export const LOAD_EVENTS = {
  name: "worker-load-events",
  text: `SELECT event.id AS "eventId", ${LOADED_EVENT} WHERE event.id = ANY ($1::uuid[])`,
} as const;

/**
 * Reads epoch, batch and what the batch needs, in one snapshot taken after its commands left the
 * mailbox. The epoch is 0 if another node ($6 is ours) has it.
 */
export const LOAD = {
  name: "worker-load",
  text: `
    SELECT CASE WHEN worker.node = $6 THEN worker.epoch ELSE 0 END::float8 AS epoch,
      worker.batch::float8 AS batch, ${CLOCK_MS} AS "clockMs",
      coalesce((SELECT json_agg(json_build_object('transactionId', encode(sale.transaction_id,
        'hex'), 'userId', sale.user_id, 'quantity', sale.quantity))
                FROM (SELECT asked.*, found.quantity
                  FROM unnest($4::uuid[], $5::bytea[]) AS asked (user_id, transaction_id)
                      CROSS JOIN LATERAL (SELECT count(*) AS quantity FROM event_tickets AS ticket
                        WHERE ticket.event_id = $1 AND ticket.user_id = asked.user_id
                          AND ticket.transaction_id = asked.transaction_id) AS found
                      WHERE found.quantity > 0) AS sale), '[]') AS sales,
      coalesce((SELECT json_agg(json_build_object('ticketId', id, 'userId', user_id, 'cancelled',
        cancelled_at IS NOT NULL))
                FROM event_tickets WHERE id = ANY ($2::uuid[])
                  AND CASE WHEN event_id = $1 THEN true END), '[]') AS tickets,
      coalesce((SELECT json_agg(json_build_object('userId', asked.user_id, 'count',
        customer.active))
                FROM unnest($3::uuid[]) AS asked (user_id)
                CROSS JOIN LATERAL (SELECT count(*) AS active FROM event_tickets AS ticket
                                    WHERE ticket.event_id = $1 AND ticket.user_id = asked.user_id
                                      AND ticket.cancelled_at IS NULL) AS customer
                WHERE customer.active > 0), '[]') AS "activeTickets"
    FROM event_worker AS worker WHERE worker.event_id = $1`,
} as const;

/**
 * The moment of sale: one autocommit statement, so that a frozen worker holds no lock.
 *
 * It first updates the worker's row, if epoch, batch and node are still its own (a taker of the
 * epoch waits for it and then sees its rows), and what is left to sell in it: the row's CHECK
 * refuses to sell more than there is, whatever the worker believes. The node is compared, too: a
 * failover that lost an epoch may give it out twice. Everything else depends on that row, and
 * on PostgreSQL's clock: once the event has started nothing is sold or cancelled. Pending rows are
 * selected from what was booked. A count that differs from the decision raises BX001, and nothing
 * commits. No row back: fenced.
 */
export const COMMIT = {
  name: "worker-commit",
  text: `
    WITH fence AS (
      UPDATE event_worker SET batch = batch + 1,
        available = available + cardinality($9::uuid[]) - cardinality($5::uuid[])
      WHERE event_id = $1 AND epoch = $2 AND batch = $3 AND node = $12
      RETURNING epoch, batch, date_trunc('milliseconds', clock_timestamp()) AS at
    ), sold AS (
      INSERT INTO event_tickets (id, event_id, user_id, event_date, transaction_id, ordinal,
        purchased_at)
      SELECT item.id, $1, item.user_id, $4::date, item.transaction_id, item.ordinal, fence.at
      FROM fence, unnest($5::uuid[], $6::uuid[], $7::bytea[], $8::smallint[]) AS item (id, user_id,
        transaction_id, ordinal)
      WHERE fence.at < to_timestamp($11::float8 / 1000)
      RETURNING transaction_id, user_id
    ), cancelled AS (
      UPDATE event_tickets AS ticket SET cancelled_at = fence.at
      FROM fence, unnest($9::uuid[], $10::bytea[]) AS item (id, transaction_id)
      WHERE ticket.id = item.id AND CASE WHEN ticket.event_id = $1 THEN true END
        AND ticket.cancelled_at IS NULL AND fence.at < to_timestamp($11::float8 / 1000)
      RETURNING item.transaction_id AS cancellation_id, ticket.*
    ), booked AS (
      INSERT INTO event_ticket_transactions (transaction_id, event_id, user_id, event_date,
        quantity, status, epoch, batch, created_at)
      SELECT change.transaction_id, $1, change.user_id, $4::date, change.quantity, 'pending',
        fence.epoch, fence.batch, fence.at
      FROM fence, (SELECT transaction_id, user_id, -count(*)::integer AS quantity FROM sold
        GROUP BY 1, 2
                   UNION ALL SELECT cancellation_id, user_id, 1 FROM cancelled) AS change
      RETURNING quantity
    )
    SELECT fence.batch::float8 AS batch, (extract(epoch FROM fence.at) * 1000)::float8 AS "clockMs",
      require_count('tickets sold', (SELECT count(*) FROM sold), cardinality($5::uuid[])),
      require_count('tickets cancelled', (SELECT count(*) FROM cancelled), cardinality($9::uuid[])),
      require_count('places booked', (SELECT coalesce(sum(quantity), 0)
        FROM booked), cardinality($9::uuid[]) - cardinality($5::uuid[])),
      (SELECT json_agg(json_build_object('id', ticket.id,
         'transactionId', encode(ticket.transaction_id, 'hex'), 'purchasedAtMs',
           (extract(epoch FROM ticket.purchased_at) * 1000)::float8))
       FROM cancelled AS ticket) AS cancelled
    FROM fence`,
} as const;

/**
 * Reads the earlier answer to a purchase, as of now. The ledger deletes booked rows, so no row
 * means completed. Rows that could not be booked yet (failed) are pending to the customer, whose
 * tickets are valid.
 */
export const READ_PURCHASES = {
  name: "worker-read-purchases",
  text: `
    SELECT ${TICKET_COLUMNS}, CASE WHEN pending.transaction_id IS NULL THEN 'completed' ELSE 'pending' END
      AS "transactionStatus"
    FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS named (event_id,
      user_id, transaction_id)) AS asked
    JOIN event ON event.id = asked.event_id
    CROSS JOIN LATERAL (SELECT * FROM event_tickets AS found
      WHERE found.event_id = asked.event_id AND found.user_id = asked.user_id
        AND found.transaction_id = asked.transaction_id OFFSET 0) AS ticket
    LEFT JOIN event_ticket_transactions AS pending ON pending.transaction_id = ticket.transaction_id
    ORDER BY ticket.transaction_id, ticket.ordinal`,
} as const;

/** One step through the key of an event's tickets ($2: the customer before, or null). */
export const READ_BUYERS = {
  name: "worker-read-buyers",
  text: `
    SELECT DISTINCT user_id AS "userId" FROM event_tickets
    WHERE event_id = $1
      AND user_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
    ORDER BY user_id LIMIT $3`,
} as const;

/**
 * The first customers of several events ($2: of each at most), one step through the index for each
 * of them: with DISTINCT, PostgreSQL sometimes reads all tickets of a hot event.
 */
export const READ_FIRST_BUYERS = {
  name: "worker-read-first-buyers",
  text: `
    WITH RECURSIVE buyer AS (
      SELECT asked.event_id, ticket.user_id, 1 AS place
      FROM unnest($1::uuid[]) AS asked (event_id) CROSS JOIN LATERAL (
        SELECT user_id FROM event_tickets WHERE event_id = asked.event_id
        ORDER BY user_id LIMIT 1) AS ticket
      UNION ALL
      SELECT buyer.event_id, ticket.user_id, buyer.place + 1
      FROM buyer CROSS JOIN LATERAL (
        SELECT user_id FROM event_tickets
        WHERE event_id = buyer.event_id AND user_id > buyer.user_id
        ORDER BY user_id LIMIT 1) AS ticket
      WHERE buyer.place < $2
    )
    SELECT event_id AS "eventId", user_id AS "userId" FROM buyer`,
} as const;

export const READ_TICKETS = {
  name: "worker-read-tickets",
  text: `
    SELECT ${TICKET_COLUMNS}
    FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id
    WHERE ticket.id = ANY ($1::uuid[])`,
} as const;
