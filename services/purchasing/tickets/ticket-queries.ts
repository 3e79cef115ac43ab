import type { Connection } from "../../../lib/database/pool.ts";
import { cancellationId } from "../../../lib/ids.ts";
import { TICKET_COLUMNS } from "../store/event-store.sql.ts";
import type { Ticket, TransactionStatus } from "../worker/ports.ts";

export type TransactionView = {
  transactionId: string;
  eventId: string;
  status: TransactionStatus;
  quantity: number;
};

/**
 * Reads one ticket of this customer. Undefined also for another customer's, so that its existence
 * is not revealed.
 */
export async function readTicket(
  database: Connection,
  userId: string,
  ticketId: string,
): Promise<Ticket | undefined> {
  const [ticket] = await database.query<Ticket>({
    name: "tickets-get",
    text: `
      SELECT ${TICKET_COLUMNS}
      FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id
      WHERE ticket.id = $1 AND ticket.user_id = $2`,
    values: [ticketId, userId],
  });
  return ticket;
}

/** Reads one ticket of any customer. For operators only. */
export async function readAnyTicket(
  database: Connection,
  ticketId: string,
): Promise<Ticket | undefined> {
  const [ticket] = await database.query<Ticket>({
    name: "tickets-check",
    text: `
      SELECT ${TICKET_COLUMNS}
      FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id
      WHERE ticket.id = $1`,
    values: [ticketId],
  });
  return ticket;
}

/** A row about a customer, as it is stored. */
export type TransactionRow = TransactionView & { at: string };

/** Rows of one answer of `readTransactionRows`. */
export const TRANSACTION_ROWS_MAX = 500;

/**
 * Reads the rows about a customer that are no tickets, in the order of their ids, behind `after`:
 * pending transactions, and what the ledger booked one by one until release 0.2. What it has booked
 * since names no customer.
 */
export async function readTransactionRows(
  database: Connection,
  userId: string,
  after: string,
): Promise<TransactionRow[]> {
  return database.query<TransactionRow>({
    name: "transactions-of-customer",
    text: `
      SELECT encode(transaction_id, 'hex') AS "transactionId", event_id AS "eventId", status,
        quantity, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
      FROM (
        SELECT transaction_id, event_id, status, quantity, created_at AS at
        FROM event_ticket_transactions WHERE user_id = $1
        UNION ALL SELECT transaction_id, event_id, 'completed', quantity, applied_at
        FROM capacity_ledger
        WHERE user_id = $1 AND event_id IN (SELECT event_id FROM event_tickets WHERE user_id = $1)
      ) AS stored
      WHERE transaction_id > $2 ORDER BY transaction_id LIMIT $3`,
    values: [userId, Buffer.from(after, "hex"), TRANSACTION_ROWS_MAX],
  });
}

/**
 * Reads a customer's transaction: pending while its row waits for the ledger, then completed. A
 * booked purchase is found by its tickets, through their owner; a booked cancellation by the
 * customer's cancelled tickets, from whose ids its own is derived.
 */
export async function readTransaction(
  database: Connection,
  userId: string,
  transactionId: string,
  secret: string,
): Promise<TransactionView | undefined> {
  const [transaction] = await database.query<TransactionView>({
    name: "transactions-get",
    text: `
      SELECT encode($1::bytea, 'hex') AS "transactionId", event_id AS "eventId", status, quantity
      FROM (SELECT 1 AS place, event_id, 'pending' AS status, quantity
            FROM event_ticket_transactions WHERE transaction_id = $1 AND user_id = $2
            UNION ALL SELECT 2, event_id, 'completed', -count(*)::integer FROM event_tickets
              WHERE transaction_id = $1 AND user_id = $2 GROUP BY event_id) AS known
      ORDER BY place LIMIT 1`,
    values: [Buffer.from(transactionId, "hex"), userId],
  });
  if (transaction !== undefined) return transaction;
  const cancelled = await database.query<{ id: string; eventId: string }>({
    name: "tickets-cancelled",
    text: `SELECT id, event_id AS "eventId" FROM event_tickets
      WHERE user_id = $1 AND cancelled_at IS NOT NULL`,
    values: [userId],
  });
  const ticket = cancelled.find(({ id }) => cancellationId(secret, id) === transactionId);
  return ticket && { transactionId, eventId: ticket.eventId, status: "completed", quantity: 1 };
}
