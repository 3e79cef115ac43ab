import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import type { Connection } from "../../lib/database/pool.ts";

export type StoredRows = {
  capacity: number;
  total: number;
  epoch: number;
  node: string;
  pending: number;
  booked: number;
  active: number;
  dates: string[];
};

/** Makes a node own an event, under an epoch. */
export async function ownEvent(connection: Connection, id: string, epoch: number): Promise<void> {
  await connection.query({
    text: "INSERT INTO event_worker VALUES ($1, $2, 0, 'worker')",
    values: [id, epoch],
  });
}

/** Sells like the worker's statement, with event_worker's row locked. Returns the transaction. */
export async function sellTickets(
  connection: Connection,
  id: string,
  date: string,
  quantity: number,
): Promise<string> {
  const transaction = randomBytes(64);
  await connection.query({
    text: `
      WITH mine AS (
        UPDATE event_worker SET batch = batch + 1 WHERE event_id = $1 RETURNING epoch, batch
      ),
      tickets AS (
        INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
        SELECT gen_random_uuid(), $1, $2, $3, $4, ordinal, now()
        FROM mine, generate_series(1, $5::integer) AS ordinal
      )
      INSERT INTO event_ticket_transactions
        (transaction_id, event_id, user_id, event_date, quantity, epoch, batch, created_at)
      SELECT $4, $1, $2, $3, -$5::integer, epoch, batch, now() FROM mine`,
    values: [id, randomUUID(), date, transaction, quantity],
  });
  return transaction.toString("hex");
}

/** Reads what the tables hold of an event. */
export async function readStored(connection: Connection, id: string): Promise<StoredRows> {
  const [row] = await connection.query<StoredRows>({
    text: `
      SELECT capacity, total_capacity AS total,
        (SELECT epoch::float8 FROM event_worker WHERE event_id = $1) AS epoch,
        (SELECT node FROM event_worker WHERE event_id = $1) AS node,
        (SELECT count(*)::integer FROM event_ticket_transactions WHERE event_id = $1) AS pending,
        (SELECT coalesce(sum(quantity), 0)::integer FROM capacity_ledger
          WHERE event_id = $1) AS booked,
        (SELECT count(*)::integer FROM event_tickets
          WHERE event_id = $1 AND cancelled_at IS NULL) AS active,
        (SELECT array_agg(DISTINCT to_char(event_date, 'YYYY-MM-DD')) FROM event_tickets
          WHERE event_id = $1) AS dates
      FROM event WHERE id = $1`,
    values: [id],
  });
  assert.ok(row);
  return row;
}
