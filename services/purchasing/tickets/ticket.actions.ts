import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { accepted, type Answer, refused } from "../../../domain/refusal.ts";
import { callerOf } from "../../../mixins/authorization.middleware.ts";
import { orRetryLater } from "../../../lib/database/transient-errors.ts";
import type { WithDatabases } from "../../../mixins/database.mixin.ts";
import type { Ticket } from "../worker/ports.ts";
import { ticketCode, ticketOfCode } from "./ticket-code.ts";
import { readCursor, type TicketLists, type TicketPage } from "./ticket-list.ts";
import {
  readAnyTicket,
  readTicket,
  readTransaction,
  type TransactionView,
} from "./ticket-queries.ts";

type ListParams = { status?: "active" | "cancelled"; limit?: number; cursor?: string };

const uuid = { type: "uuid" } as const;
const hexId = { type: "string", pattern: "^[0-9a-f]{128}$" };

export type WithTicketLists = { ticketLists: TicketLists; transactionSecret: string };

type Vars = WithDatabases<"sale"> & WithTicketLists;

/** Reads a customer's tickets from PostgreSQL. No worker takes part. */
export const ticketActions: NonNullable<
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- no methods
  ServiceSchema<ServiceSettingSchema, Record<never, never>, Vars>["actions"]
> = {
  /**
   * Lists the caller's tickets by event date. Can refuse with: VALIDATION_ERROR (an invalid
   * cursor), TRY_AGAIN.
   */
  "tickets.list": {
    auth: "customer",
    params: {
      $$strict: true,
      status: { type: "enum", values: ["active", "cancelled"], optional: true },
      limit: { type: "number", integer: true, min: 1, max: 100, optional: true },
      cursor: { type: "string", max: 200, optional: true },
    },
    async handler(ctx: Context<ListParams>): Promise<Answer<TicketPage>> {
      const { status, limit = 20, cursor } = ctx.params;
      const after = cursor === undefined ? undefined : readCursor(cursor);
      if (cursor !== undefined && after === undefined)
        return refused("VALIDATION_ERROR", { errors: [{ field: "cursor", rule: "cursor" }] });
      return orRetryLater(async () =>
        accepted(await this.ticketLists({ userId: callerOf(ctx).userId, status, limit, after })),
      );
    },
  },

  /** Can refuse with: TICKET_NOT_FOUND, TRY_AGAIN. */
  "tickets.get": {
    auth: "customer",
    params: { $$strict: true, ticketId: uuid },
    handler(ctx: Context<{ ticketId: string }>): Promise<Answer<Ticket>> {
      return orRetryLater(async () => {
        const ticket = await readTicket(
          this.databases.sale,
          callerOf(ctx).userId,
          ctx.params.ticketId,
        );
        return ticket === undefined ? refused("TICKET_NOT_FOUND") : accepted(ticket);
      });
    },
  },

  /**
   * Returns the content of an active ticket's QR code. Can refuse with: TICKET_NOT_FOUND (also for
   * a cancelled one), TRY_AGAIN.
   */
  "tickets.code": {
    auth: "customer",
    params: { $$strict: true, ticketId: uuid },
    handler(ctx: Context<{ ticketId: string }>): Promise<Answer<{ code: string }>> {
      return orRetryLater(async () => {
        const ticket = await readTicket(
          this.databases.sale,
          callerOf(ctx).userId,
          ctx.params.ticketId,
        );
        return ticket?.status === "active"
          ? accepted({ code: ticketCode(this.transactionSecret, ticket.id) })
          : refused("TICKET_NOT_FOUND");
      });
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

  /** Can refuse with: TRANSACTION_NOT_FOUND, TRY_AGAIN. */
  "transactions.get": {
    auth: "customer",
    params: { $$strict: true, transactionId: hexId },
    handler(ctx: Context<{ transactionId: string }>): Promise<Answer<TransactionView>> {
      return orRetryLater(async () => {
        const transaction = await readTransaction(
          this.databases.sale,
          callerOf(ctx).userId,
          ctx.params.transactionId,
        );
        return transaction === undefined ? refused("TRANSACTION_NOT_FOUND") : accepted(transaction);
      });
    },
  },
};
