-- Checks a restored database: one line per event that breaks an invariant; no line means success.
-- The engine's action ledger.reconcile reports more.
SELECT format(
  'event %s: %s places, capacity %s, %s not booked, %s active tickets, %s in the ledger',
  id, total, capacity, unbooked, active, booked)
FROM (
  SELECT event.id, event.total_capacity AS total, event.capacity,
    coalesce(tickets.active, 0) AS active, coalesce(pending.quantity, 0) AS unbooked,
    coalesce(ledger.quantity, 0) AS booked
  FROM event
  LEFT JOIN (
    SELECT event_id, count(*) AS active FROM event_tickets
    WHERE cancelled_at IS NULL GROUP BY event_id
  ) AS tickets ON tickets.event_id = event.id
  LEFT JOIN (
    SELECT event_id, sum(quantity) AS quantity FROM event_ticket_transactions
    WHERE status <> 'completed' GROUP BY event_id
  ) AS pending ON pending.event_id = event.id
  LEFT JOIN (
    SELECT event_id, sum(quantity) AS quantity FROM capacity_ledger GROUP BY event_id
  ) AS ledger ON ledger.event_id = event.id
) AS numbers
WHERE active > total OR capacity + unbooked <> total - active OR booked + unbooked <> -active
ORDER BY id LIMIT 20;
