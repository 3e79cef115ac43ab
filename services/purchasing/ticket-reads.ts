import type { Connection } from "../../mixins/database.ts";
import type { Ticket, TransactionStatus } from "./ports.ts";
import { TICKET_COLUMNS } from "./store-statements.ts";

export type TransactionView = { transactionId: string; eventId: string; status: TransactionStatus; quantity: number };

/** One ticket of this person; undefined also where it is another's, so that nobody learns that it exists. */
export async function readTicket(database: Connection, userId: string, ticketId: string): Promise<Ticket | undefined> {
  const [ticket] = await database.query<Ticket>({
    name: "tickets-get",
    text: `SELECT ${TICKET_COLUMNS} FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id WHERE ticket.id = $1 AND ticket.user_id = $2`,
    values: [ticketId, userId],
  });
  return ticket;
}

/** One ticket, whoever's it is: for operators only. */
export async function readAnyTicket(database: Connection, ticketId: string): Promise<Ticket | undefined> {
  const [ticket] = await database.query<Ticket>({
    name: "tickets-check",
    text: `SELECT ${TICKET_COLUMNS} FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id WHERE ticket.id = $1`,
    values: [ticketId],
  });
  return ticket;
}

/** This person's transaction: pending while its row waits for the ledger, completed once the ledger has it. */
export async function readTransaction(database: Connection, userId: string, transactionId: string): Promise<TransactionView | undefined> {
  const [transaction] = await database.query<TransactionView>({
    name: "transactions-get",
    text: `
      SELECT encode(transaction_id, 'hex') AS "transactionId", event_id AS "eventId", status, quantity
      FROM (SELECT transaction_id, event_id, user_id, status, quantity FROM event_ticket_transactions WHERE transaction_id = $1
            UNION ALL SELECT transaction_id, event_id, user_id, 'completed', quantity FROM capacity_ledger WHERE transaction_id = $1) AS known
      WHERE user_id = $2 LIMIT 1`,
    values: [Buffer.from(transactionId, "hex"), userId],
  });
  return transaction;
}
