import type { Connection } from "../../mixins/database.ts";
import type { Ticket, TransactionStatus } from "./ports.ts";
import { TICKET_COLUMNS } from "./store-statements.ts";

export type TransactionView = { transactionId: string; eventId: string; status: TransactionStatus; quantity: number };
export type TicketPage = { items: Ticket[]; nextCursor: string | null };
type Position = { eventDate: string; id: string };

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

/** A person's tickets by event date, then id (which grows with the purchase), from after `after`. */
export async function listTickets(
  database: Connection,
  userId: string,
  { status, limit, after }: { status: "active" | "cancelled" | undefined; limit: number; after: Position | undefined },
): Promise<TicketPage> {
  const rows = await database.query<Ticket>({
    name: "tickets-list",
    text: `
      SELECT ${TICKET_COLUMNS} FROM event_tickets AS ticket JOIN event ON event.id = ticket.event_id
      WHERE ticket.user_id = $1 AND ($2::boolean IS NULL OR (ticket.cancelled_at IS NULL) = $2::boolean)
        AND (ticket.event_date, ticket.id) > ($3::date, $4::uuid)
      ORDER BY ticket.event_date, ticket.id LIMIT $5`,
    values: [
      ...[userId, status === undefined ? null : status === "active"],
      ...[after?.eventDate ?? "-infinity", after?.id ?? "00000000-0000-0000-0000-000000000000", limit + 1],
    ],
  });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? writeCursor(last) : null };
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

function writeCursor({ eventDate, id }: Position): string {
  return Buffer.from(`${eventDate} ${id}`).toString("base64url");
}

/** Undefined: not a cursor of ours. */
export function readCursor(text: string): Position | undefined {
  const [, eventDate, id] = /^(\d{4}-\d{2}-\d{2}) ([0-9a-f-]{36})$/.exec(Buffer.from(text, "base64url").toString()) ?? [];
  if (eventDate === undefined || id === undefined || Number.isNaN(Date.parse(eventDate))) return undefined;
  return Buffer.from(`${eventDate} ${id}`).toString("base64url") === text ? { eventDate, id } : undefined;
}
