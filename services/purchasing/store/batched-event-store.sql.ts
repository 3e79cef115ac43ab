/**
 * SQL of several events' workers at once. Like event-store.sql.ts it knows no rules: it makes each
 * event's step atomic and checks its fence.
 */

import { CLOCK_MS } from "./event-store.sql.ts";

/**
 * `LOAD` for several events in one snapshot: one row per event that has an ownership row. Tickets
 * and customers' counts carry their event. A purchase's id belongs to one event. $8: our node.
 */
export const LOAD_MANY = {
  name: "workers-load",
  text: `
    SELECT coalesce((SELECT json_agg(json_build_object('eventId', event_id,
      'epoch', CASE WHEN node = $8 THEN epoch ELSE 0 END, 'batch', batch)) FROM event_worker
                     WHERE event_id = ANY ($1::uuid[])), '[]') AS workers, ${CLOCK_MS} AS "clockMs",
      coalesce((SELECT json_agg(json_build_object('transactionId', encode(sale.transaction_id,
        'hex'), 'userId', sale.user_id, 'quantity', sale.quantity))
                FROM (SELECT asked.*, found.quantity FROM unnest($5::uuid[], $6::uuid[],
                  $7::bytea[]) AS asked (event_id, user_id, transaction_id)
                      CROSS JOIN LATERAL (SELECT count(*) AS quantity FROM event_tickets AS ticket
                        WHERE ticket.event_id = asked.event_id AND ticket.user_id = asked.user_id
                          AND ticket.transaction_id = asked.transaction_id) AS found
                      WHERE found.quantity > 0) AS sale), '[]') AS sales,
      coalesce((SELECT json_agg(json_build_object('eventId', event_id, 'ticketId', id, 'userId',
        user_id, 'cancelled', cancelled_at IS NOT NULL))
                FROM event_tickets WHERE id = ANY ($2::uuid[])), '[]') AS tickets,
      coalesce((SELECT json_agg(json_build_object('eventId', asked.event_id, 'userId',
        asked.user_id, 'count', customer.active))
                FROM unnest($3::uuid[], $4::uuid[]) AS asked (event_id, user_id)
                CROSS JOIN LATERAL (SELECT count(*) AS active FROM event_tickets AS ticket
                                    WHERE ticket.event_id = asked.event_id
                                      AND ticket.user_id = asked.user_id
                                      AND ticket.cancelled_at IS NULL) AS customer
                WHERE customer.active > 0), '[]') AS "activeTickets"`,
} as const;

/**
 * `COMMIT` for several events, each behind its own fence: one transaction and one flush. A row that
 * another session has locked (a taker, a late statement) is skipped, not waited for, so events
 * cannot wait for each other or deadlock. An event that is missing in the result was skipped or
 * fenced, and nothing of it was done. A wrong count rolls everything back.
 *
 * Epoch, batch and node are compared in a CASE: PostgreSQL estimates one row for so many equalities
 * and would then scan all events for each of them.
 */
export const COMMIT_MANY = {
  name: "workers-commit",
  text: `
    WITH asked AS (
      SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::date[], $5::float8[],
        $6::integer[], $7::integer[])
        WITH ORDINALITY AS asked (event_id, epoch, batch, event_date, starts_at_ms, sold, cancelled,
          place)
    ), held AS MATERIALIZED (
      SELECT asked.* FROM asked JOIN event_worker AS worker ON worker.event_id = asked.event_id
        AND CASE WHEN worker.epoch = asked.epoch AND worker.batch = asked.batch
          AND worker.node = $16 THEN true END
      FOR UPDATE OF worker SKIP LOCKED
    ), fence AS (
      UPDATE event_worker AS worker SET batch = worker.batch + 1,
        available = worker.available + held.cancelled - held.sold FROM held
        WHERE worker.event_id = held.event_id
      RETURNING held.place, held.event_id, held.event_date, held.starts_at_ms, held.sold,
        held.cancelled, worker.epoch, worker.batch,
        date_trunc('milliseconds', clock_timestamp()) AS at
    ), sold AS (
      INSERT INTO event_tickets (id, event_id, user_id, event_date, transaction_id, ordinal,
        purchased_at)
      SELECT item.id, fence.event_id, item.user_id, fence.event_date, item.transaction_id,
        item.ordinal, fence.at
      FROM fence JOIN unnest($8::bigint[], $9::uuid[], $10::uuid[], $11::bytea[],
        $12::smallint[]) AS item (place, id, user_id, transaction_id, ordinal)
        USING (place)
      WHERE fence.at < to_timestamp(fence.starts_at_ms / 1000)
      RETURNING event_id, transaction_id, user_id
    ), cancelled AS (
      UPDATE event_tickets AS ticket SET cancelled_at = fence.at
      FROM fence JOIN unnest($13::bigint[], $14::uuid[], $15::bytea[]) AS item (place, id,
        transaction_id) USING (place)
      WHERE ticket.id = item.id AND CASE WHEN ticket.event_id = fence.event_id THEN true END
        AND ticket.cancelled_at IS NULL AND fence.at < to_timestamp(fence.starts_at_ms / 1000)
      RETURNING item.transaction_id AS cancellation_id, ticket.*
    ), booked AS (
      INSERT INTO event_ticket_transactions (transaction_id, event_id, user_id, event_date,
        quantity, status, epoch, batch, created_at)
      SELECT change.transaction_id, change.event_id, change.user_id, fence.event_date,
        change.quantity, 'pending', fence.epoch, fence.batch, fence.at
      FROM fence JOIN (SELECT event_id, transaction_id, user_id, -count(*)::integer AS quantity
        FROM sold GROUP BY 1, 2, 3
                       UNION ALL SELECT event_id, cancellation_id, user_id, 1
                         FROM cancelled) AS change USING (event_id)
      RETURNING event_id, quantity
    )
    SELECT fence.place::integer AS place, fence.batch::float8 AS batch,
      (extract(epoch FROM fence.at) * 1000)::float8 AS "clockMs",
      require_count('tickets sold', coalesce(sales.count, 0), fence.sold),
      require_count('tickets cancelled', coalesce(cancellations.count, 0), fence.cancelled),
      require_count('places booked', coalesce(places.sum, 0), fence.cancelled - fence.sold),
        cancellations.tickets AS cancelled
    FROM fence
    LEFT JOIN (SELECT event_id, count(*) FROM sold GROUP BY 1) AS sales USING (event_id)
    LEFT JOIN (SELECT event_id, count(*), json_agg(json_build_object('id', ticket.id,
                 'transactionId', encode(ticket.transaction_id, 'hex'), 'purchasedAtMs',
                   (extract(epoch FROM ticket.purchased_at) * 1000)::float8)) AS tickets
               FROM cancelled AS ticket GROUP BY 1) AS cancellations USING (event_id)
    LEFT JOIN (SELECT event_id, sum(quantity) FROM booked GROUP BY 1) AS places USING (event_id)`,
} as const;
