import type { Database } from "../../lib/database/pool.ts";

/** An event's places, read by one statement. */
export type Places = {
  event: string;
  total: number;
  /** Tickets sold and not cancelled. */
  active: number;
  /** Capacity that the ledger has booked. */
  capacity: number;
  /** What the ownership row has left to sell; null if the event was never sold. */
  available: number | null;
  /** Sum of unbooked rows, including failed ones. Negative for sales. */
  unbooked: number;
  /** Number of unbooked rows. */
  waiting: number;
};

/** `atMs`: this process's monotonic clock. */
export type Sample = Places & { atMs: number };

export type Rows = {
  places: Places[];
  tickets: { id: string; event: string; user: string; transaction: string; cancelled: boolean }[];
  /** Rows that the ledger has not booked. `batch`: epoch and number. */
  waiting: { transaction: string; event: string; batch: string; quantity: number }[];
  /** Batches that it has booked. */
  ledger: { event: string; batch: string; quantity: number }[];
};

const PLACES = `
  SELECT event.id AS event, total_capacity AS total, capacity,
    (SELECT available FROM event_worker WHERE event_id = event.id) AS available,
    (SELECT count(*)::integer FROM event_tickets
      WHERE event_id = event.id AND cancelled_at IS NULL) AS active,
    coalesce(rest.unbooked, 0)::integer AS unbooked, coalesce(rest.waiting, 0)::integer AS waiting
  FROM event LEFT JOIN LATERAL (
    SELECT sum(quantity) AS unbooked, count(*) AS waiting FROM event_ticket_transactions
    WHERE event_id = event.id) AS rest ON true
  WHERE event.id = ANY ($1::uuid[])`;

/** Reads in one statement, so all numbers are of one moment. */
export async function readPlaces(
  database: Pick<Database, "query">,
  events: readonly string[],
): Promise<Places[]> {
  return database.query<Places>({ text: PLACES, values: [events] });
}

/** Reads all rows that the checks need in one snapshot. */
export function readRows(database: Database, events: readonly string[]): Promise<Rows> {
  return database.transaction(async (connection) => {
    const of = <Row extends object>(text: string) =>
      connection.query<Row>({ text, values: [events] });
    return {
      places: await readPlaces(connection, events),
      tickets: await of<Rows["tickets"][number]>(`
        SELECT id, event_id AS event, user_id AS user, encode(transaction_id, 'hex') AS transaction,
          cancelled_at IS NOT NULL AS cancelled
        FROM event_tickets WHERE event_id = ANY ($1::uuid[]) ORDER BY transaction_id, ordinal`),
      waiting: await of<Rows["waiting"][number]>(`
        SELECT encode(transaction_id, 'hex') AS transaction, event_id AS event, quantity,
          epoch || '/' || batch AS batch
        FROM event_ticket_transactions WHERE event_id = ANY ($1::uuid[])`),
      ledger: await of<Rows["ledger"][number]>(`
        SELECT event_id AS event, epoch || '/' || batch AS batch, quantity
        FROM capacity_ledger WHERE event_id = ANY ($1::uuid[])`),
    };
  }, "REPEATABLE READ");
}
