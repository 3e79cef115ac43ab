import { Client } from "pg";

const AT_ONCE = 250_000;

/**
 * Writes `count` tickets of an event as sold and booked: ten per person, one transaction per
 * ticket. Ids are evenly distributed and compress as badly as real ones, but are inserted in order,
 * which takes minutes for ten million instead of an hour. Ends with a vacuum and a checkpoint.
 */
export async function fillTickets(
  databaseUrl: string,
  eventId: string,
  count: number,
): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("SET statement_timeout = 0; SET lock_timeout = 0");
  try {
    for (let first = 0; first < count; first += AT_ONCE)
      await client.query(FILL, [eventId, first, Math.min(count, first + AT_ONCE) - 1, count]);
    await client.query("UPDATE event SET capacity = capacity - $2 WHERE id = $1", [eventId, count]);
    for (const table of ["event_tickets", "capacity_ledger"])
      await client.query(`VACUUM (ANALYZE) ${table}`);
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
}

/** $1: the event. $2 and $3: first and last number. $4: number of all tickets. */
const FILL = `
  WITH item AS MATERIALIZED (
    SELECT number, substr(int8send((number::float8 / $4 * 4294967295)::bigint), 5) AS place,
      substr(int8send(((number / 10 * 10)::float8 / $4 * 4294967295)::bigint), 5) AS person
    FROM generate_series($2::bigint, $3::bigint) AS number
  ), ticket AS (
    INSERT INTO event_tickets
      (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
    SELECT encode(substr(int8send(1700000000000 + number), 3) || decode('7000', 'hex')
        || substr(uuid_send($1::uuid), 1, 8), 'hex')::uuid, $1::uuid,
      encode(person || substr(sha512(person), 1, 12), 'hex')::uuid, '2099-01-01',
      place || substr(sha512(int8send(number) || uuid_send($1::uuid)), 1, 60), 1, clock_timestamp()
    FROM item RETURNING transaction_id, event_id, user_id
  )
  INSERT INTO capacity_ledger
    (transaction_id, event_id, user_id, quantity, applied_at, epoch, batch)
  SELECT transaction_id, event_id, user_id, -1, clock_timestamp(), 0, $2::bigint / ${AT_ONCE}
  FROM ticket`;
