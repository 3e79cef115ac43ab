import { CURSOR, PAGE_LIMIT, type Route, UUID, objectSchema } from "./route.ts";

const TICKET_ID = objectSchema({ ticketId: UUID }, ["ticketId"]);

const buy: Route = {
  method: "POST",
  path: "/api/events/{eventId}/tickets",
  auth: "customer",
  params: objectSchema({ eventId: UUID }, ["eventId"]),
  body: { required: false, schema: objectSchema({ quantity: { type: "integer", minimum: 1, maximum: 10, default: 1 } }) },
  status: 201,
  idempotent: true,
  audit: "purchase",
  throttle: "purchase",
  direct: true,
  call: ({ params, body, idempotencyKey }, bus) =>
    bus.command("purchasing.buy", { eventId: params.eventId ?? "", quantity: body.quantity, key: idempotencyKey }),
  success(value) {
    const { replayed, ...purchase } = value as { replayed: boolean };
    return { headers: replayed ? { "Idempotent-Replayed": "true" } : {}, body: purchase };
  },
};

const list: Route = {
  method: "GET",
  path: "/api/tickets",
  auth: "customer",
  query: objectSchema({ status: { type: "string", enum: ["active", "cancelled"] }, limit: PAGE_LIMIT, cursor: CURSOR }),
  status: 200,
  call: ({ query }, bus) => bus.ask("purchasing.tickets.list", query),
};

const get: Route = {
  method: "GET",
  path: "/api/tickets/{ticketId}",
  auth: "customer",
  params: TICKET_ID,
  status: 200,
  call: ({ params }, bus) => bus.ask("purchasing.tickets.get", params),
};

const cancel: Route = {
  method: "DELETE",
  path: "/api/tickets/{ticketId}",
  auth: "customer",
  params: TICKET_ID,
  status: 200,
  audit: "cancellation",
  throttle: "cancellation",
  /** The ticket says which event's worker is to cancel it; somebody else's ticket is not found here already. */
  async call({ params: { ticketId } }, bus) {
    const ticket = await bus.ask<{ eventId: string }>("purchasing.tickets.get", { ticketId });
    if (!ticket.ok) return ticket;
    return bus.command("purchasing.cancel", { eventId: ticket.value.eventId, ticketId });
  },
};

const transaction: Route = {
  method: "GET",
  path: "/api/transactions/{transactionId}",
  auth: "customer",
  params: objectSchema({ transactionId: { type: "string", pattern: "^[0-9a-f]{128}$" } }, ["transactionId"]),
  status: 200,
  call: ({ params }, bus) => bus.ask("purchasing.transactions.get", params),
};

export const TICKET_ROUTES: readonly Route[] = [buy, list, get, cancel, transaction];
