import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import { callerOf } from "../../../mixins/action.middleware.ts";
import { orRetryLater } from "../../../lib/database/pool.ts";
import type { WithDatabases } from "../../../mixins/database.mixin.ts";
import type { Ticket } from "../worker/ports.ts";
import { ticketOfCode, withCode } from "./ticket-code.ts";
import { listTickets, type Marked } from "./ticket-list.ts";
import {
  readAnyTicket,
  readTransactionRows,
  TRANSACTION_ROWS_MAX,
  type TransactionRow,
  type TransactionView,
} from "./ticket-queries.ts";
import type { WithTicketReads } from "./ticket-reads.ts";

const uuid = { type: "uuid" } as const;
const hexId = { type: "string", pattern: "^[0-9a-f]{128}$" };

/** `code`: content of the QR code of an active ticket. */
type CodedTicket = Ticket & { code?: string };
type Vars = WithDatabases<"sale"> & WithTicketReads & { transactionSecret: string };

/**
 * Reads a customer's tickets from copies in Redis or from PostgreSQL. No worker takes part. An
 * answer with `dataAsOf` comes from a copy while PostgreSQL is down.
 */
export const ticketActions: NonNullable<
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- no methods
  ServiceSchema<ServiceSettingSchema, Record<never, never>, Vars>["actions"]
> = {
  "tickets.list": listTickets,

  /** Returns a ticket with its code. Can refuse with: TICKET_NOT_FOUND, TRY_AGAIN. */
  "tickets.get": {
    auth: "customer",
    params: { $$strict: true, ticketId: uuid },
    async handler(ctx: Context<{ ticketId: string }>): Promise<Answer<Marked<CodedTicket>>> {
      const ticketId = ctx.params.ticketId.toLowerCase();
      const answer = await this.ticketReads.ticket(callerOf(ctx).userId, ticketId);
      return answer.ok ? accepted(withCode(this.transactionSecret, answer.value)) : answer;
    },
  },

  /**
   * Returns the content of an active ticket's QR code. Can refuse with: TICKET_NOT_FOUND (also for
   * a cancelled one), TRY_AGAIN.
   */
  "tickets.code": {
    auth: "customer",
    params: { $$strict: true, ticketId: uuid },
    async handler(ctx: Context<{ ticketId: string }>): Promise<Answer<Marked<{ code: string }>>> {
      const ticketId = ctx.params.ticketId.toLowerCase();
      const answer = await this.ticketReads.ticket(callerOf(ctx).userId, ticketId);
      if (!answer.ok) return answer;
      const { code, dataAsOf } = withCode<Marked<Ticket>>(this.transactionSecret, answer.value);
      return code === undefined
        ? refused("TICKET_NOT_FOUND")
        : accepted({ code, ...(dataAsOf && { dataAsOf }) });
    },
  },

  /**
   * Finds the ticket of a code, of any customer, for the check at the entrance. Can refuse with:
   * TICKET_NOT_FOUND (an invalid code), TRY_AGAIN.
   */
  "tickets.check": {
    auth: "operator",
    params: { $$strict: true, code: { type: "string", max: 200 } },
    handler(ctx: Context<{ code: string }>): Promise<Answer<Ticket>> {
      return orRetryLater(async () => {
        const ticketId = ticketOfCode(this.transactionSecret, ctx.params.code);
        const ticket =
          ticketId === undefined ? undefined : await readAnyTicket(this.databases.sale, ticketId);
        return ticket === undefined ? refused("TICKET_NOT_FOUND") : accepted(ticket);
      });
    },
  },

  /**
   * Returns the rows about the caller that are no tickets, behind the id `after`; `next` is the id
   * to go on from, null at the end. For an export. Can refuse with: TRY_AGAIN.
   */
  "transactions.list": {
    auth: "customer",
    params: {
      $$strict: true,
      after: { type: "string", pattern: "^([0-9a-f]{2})*$", max: 128, optional: true, default: "" },
    },
    handler(
      ctx: Context<{ after: string }>,
    ): Promise<Answer<{ items: TransactionRow[]; next: string | null }>> {
      return orRetryLater(async () => {
        const { userId } = callerOf(ctx);
        const items = await readTransactionRows(this.databases.sale, userId, ctx.params.after);
        const next = items.length < TRANSACTION_ROWS_MAX ? null : items.at(-1)?.transactionId;
        return accepted({ items, next: next ?? null });
      });
    },
  },

  /** Can refuse with: TRANSACTION_NOT_FOUND, TRY_AGAIN. */
  "transactions.get": {
    auth: "customer",
    params: { $$strict: true, transactionId: hexId },
    handler(ctx: Context<{ transactionId: string }>): Promise<Answer<Marked<TransactionView>>> {
      return this.ticketReads.transaction(callerOf(ctx).userId, ctx.params.transactionId);
    },
  },
};
