import { TICKETS_PER_PURCHASE_MAX } from "../../../domain/limits.ts";
import { pageOf, ref } from "../openapi/schemas.ts";
import { qrCodeSvg } from "../http/qr-code.ts";
import { CURSOR, PAGE_LIMIT, type Route, UUID, objectSchema } from "../routing/route.ts";

const TICKET_ID = objectSchema({ ticketId: UUID }, ["ticketId"]);

/** A success that may come from a copy while PostgreSQL is down. */
const COPY_HEADERS = {
  "X-Data-As-Of": "Only while the database is down: the time of the data, in RFC 3339",
  Warning: '`110 - "Response is Stale"` if the answer has X-Data-As-Of',
};

/** Takes the mark of a copy out of a value, and shows it in headers. */
function unmarked(value: unknown): { headers: Record<string, string>; body: unknown } {
  const { dataAsOf, ...body } = value as { dataAsOf?: string };
  return dataAsOf === undefined
    ? { headers: {}, body }
    : { headers: { "X-Data-As-Of": dataAsOf, Warning: '110 - "Response is Stale"' }, body };
}

const buy: Route = {
  method: "POST",
  path: "/api/events/{eventId}/tickets",
  auth: "customer",
  about: {
    id: "buyTickets",
    tag: "tickets",
    description:
      "Buys `quantity` tickets, all or none. With an Idempotency-Key (scope: the user and the " +
      "event) a retry of a purchase that sold returns the same transaction and tickets, 201 with " +
      "the header `Idempotent-Replayed: true`, also if the event has sold out or started since; " +
      "the same key with another quantity is a 422. A refusal binds nothing: the key stays free. " +
      "A 201 is durable: the tickets are in PostgreSQL. Every answer carries the header " +
      "Idempotency-Key: the client's, or a new one, which a 422 lacks.",
    success: {
      description: "Bought",
      schema: ref("Purchase"),
      headers: {
        "Idempotency-Key": "The key for a retry of this purchase",
        "Idempotent-Replayed": "`true` if an earlier request sold the tickets",
      },
    },
    refusals: [
      "EVENT_NOT_FOUND",
      "EVENT_SOLD_OUT",
      "EVENT_CANCELLED",
      "EVENT_POSTPONED",
      "EVENT_OVER",
      "PURCHASE_LIMIT_REACHED",
      "IDEMPOTENCY_KEY_REUSED",
      "OUTCOME_UNKNOWN",
    ],
  },
  params: objectSchema({ eventId: UUID }, ["eventId"]),
  body: {
    required: true,
    schema: objectSchema({
      quantity: { type: "integer", minimum: 1, maximum: TICKETS_PER_PURCHASE_MAX, default: 1 },
    }),
  },
  status: 201,
  idempotent: true,
  audit: "purchase",
  throttle: "purchase",
  direct: true,
  call: ({ params, body, idempotencyKey }, bus) =>
    bus.command(
      "purchasing.buy",
      { eventId: params.eventId ?? "", quantity: body.quantity, key: idempotencyKey },
      "OUTCOME_UNKNOWN",
    ),
  success(value) {
    const { replayed, ...purchase } = value as { replayed: boolean };
    return { headers: replayed ? { "Idempotent-Replayed": "true" } : {}, body: purchase };
  },
};

const list: Route = {
  method: "GET",
  path: "/api/tickets",
  auth: "customer",
  about: {
    id: "listTickets",
    tag: "tickets",
    description: "The caller's tickets, sorted by the event's date. Works by keyset cursor.",
    success: { description: "A page", schema: pageOf("Ticket"), headers: COPY_HEADERS },
  },
  query: objectSchema({
    status: { type: "string", enum: ["active", "cancelled"] },
    limit: PAGE_LIMIT,
    cursor: CURSOR,
  }),
  status: 200,
  call: ({ query }, bus) => bus.call("purchasing.tickets.list", query),
  success: unmarked,
};

const get: Route = {
  method: "GET",
  path: "/api/tickets/{ticketId}",
  auth: "customer",
  about: {
    id: "getTicket",
    tag: "tickets",
    description: "Another customer's ticket is a 404, like one that does not exist.",
    success: { description: "The ticket", schema: ref("Ticket"), headers: COPY_HEADERS },
    refusals: ["TICKET_NOT_FOUND"],
  },
  params: TICKET_ID,
  status: 200,
  call: ({ params }, bus) => bus.call("purchasing.tickets.get", params),
  success: unmarked,
};

const qrCode: Route = {
  method: "GET",
  path: "/api/tickets/{ticketId}/qr.svg",
  auth: "customer",
  about: {
    id: "getTicketQrCode",
    tag: "tickets",
    description: "A QR code of the signed ticket, for admission. A cancelled ticket is a 404.",
    success: {
      description: "An image, black on white",
      mediaType: "image/svg+xml",
      headers: COPY_HEADERS,
    },
    refusals: ["TICKET_NOT_FOUND"],
  },
  params: TICKET_ID,
  status: 200,
  call: ({ params }, bus) => bus.call("purchasing.tickets.code", params),
  success: (value) => ({
    headers: { "Content-Type": "image/svg+xml", ...unmarked(value).headers },
    text: qrCodeSvg((value as { code: string }).code),
  }),
};

const cancel: Route = {
  method: "DELETE",
  path: "/api/tickets/{ticketId}",
  auth: "customer",
  about: {
    id: "cancelTicket",
    tag: "tickets",
    description:
      "Cancels the ticket and frees its place, exactly once; cancelling again returns the same " +
      "answer. Refused once the event has started. After OUTCOME_UNKNOWN, repeat the request.",
    success: { description: "The cancelled ticket", schema: ref("Ticket") },
    refusals: ["TICKET_NOT_FOUND", "EVENT_OVER", "OUTCOME_UNKNOWN"],
  },
  params: TICKET_ID,
  status: 200,
  audit: "cancellation",
  throttle: "cancellation",
  /** Reads the ticket first, for the event whose worker cancels it. Finds the caller's only. */
  async call({ params: { ticketId } }, bus) {
    const ticket = await bus.call<{ eventId: string }>("purchasing.tickets.get", { ticketId });
    if (!ticket.ok) return ticket;
    const params = { eventId: ticket.value.eventId, ticketId };
    return bus.command("purchasing.cancel", params, "TRY_AGAIN");
  },
};

const transaction: Route = {
  method: "GET",
  path: "/api/transactions/{transactionId}",
  auth: "customer",
  about: {
    id: "getTransaction",
    tag: "tickets",
    description: "The caller's transaction. `pending` until the ledger has applied it.",
    success: {
      description: "The transaction",
      schema: ref("Transaction"),
      headers: COPY_HEADERS,
    },
    refusals: ["TRANSACTION_NOT_FOUND"],
  },
  params: objectSchema({ transactionId: { type: "string", pattern: "^[0-9a-f]{128}$" } }, [
    "transactionId",
  ]),
  status: 200,
  call: ({ params }, bus) => bus.call("purchasing.transactions.get", params),
  success: unmarked,
};

export const TICKET_ROUTES: readonly Route[] = [buy, list, get, qrCode, cancel, transaction];
