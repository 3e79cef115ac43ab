import { type Answer, accepted } from "../../../domain/refusal.ts";
import { instant, listOf, record, ref } from "../openapi/schemas.ts";
import { type Bus, type Route, UUID, objectSchema } from "../routing/route.ts";
import { removedCookie } from "./auth.routes.ts";

const NULLABLE_TEXT = { type: ["string", "null"] };
const DATA = record({
  exportedAt: instant(),
  account: record({
    id: UUID,
    email: { type: "string" },
    name: { type: "string" },
    role: { type: "string", enum: ["customer", "operator"] },
    createdAt: instant(),
    language: { type: "string" },
    mailsOff: { type: "array", items: { type: "string" } },
    emailConfirmedAt: { type: ["string", "null"], format: "date-time" },
  }),
  sessions: listOf(
    record({
      id: UUID,
      createdAt: instant(),
      lastUsedAt: instant(),
      expiresAt: instant(),
      endedAt: { type: ["string", "null"], format: "date-time" },
      userAgent: NULLABLE_TEXT,
      address: NULLABLE_TEXT,
    }),
  ),
  notifications: listOf(
    record({
      kind: { type: "string" },
      eventId: { type: ["string", "null"] },
      state: { type: "string", enum: ["waiting", "sent", "skipped", "dead"] },
      createdAt: instant(),
      doneAt: { type: ["string", "null"], format: "date-time" },
    }),
  ),
  tickets: listOf(ref("Ticket")),
  transactions: listOf(
    record({
      transactionId: { type: "string", pattern: "^[0-9a-f]{128}$" },
      eventId: UUID,
      status: { type: "string", enum: ["pending", "completed", "failed"] },
      quantity: { type: "integer" },
      at: instant(),
    }),
  ),
});

const exportData: Route = {
  method: "GET",
  path: "/api/auth/me/export",
  auth: "customer",
  about: {
    id: "exportMe",
    tag: "auth",
    description:
      "All that is stored about the caller, as a file: account, sessions, tickets, e-mails of the last " +
      "30 days (kind and state), and transactions " +
      "that are not booked yet or were booked until release 0.2. Secrets and their hashes are left " +
      "out.",
    success: {
      description: "The caller's data",
      schema: DATA,
      headers: { "Content-Disposition": "The name of the file" },
    },
  },
  status: 200,
  audit: "data export",
  throttle: "export",
  async call(_input, bus) {
    const own = await bus.call<object>("auth.export", {});
    if (!own.ok) return own;
    const tickets = await allPages(bus, "purchasing.tickets.list", PAGE, ({ nextCursor }) =>
      nextCursor ? { ...PAGE, cursor: nextCursor } : undefined,
    );
    if (!tickets.ok) return tickets;
    const transactions = await allPages(bus, "purchasing.transactions.list", {}, ({ next }) =>
      next ? { after: next } : undefined,
    );
    if (!transactions.ok) return transactions;
    return accepted({
      exportedAt: new Date().toISOString(),
      ...own.value,
      tickets: tickets.value,
      transactions: transactions.value,
    });
  },
  success: (body) => ({
    headers: { "Content-Disposition": 'attachment; filename="boxoffice-data.json"' },
    body,
  }),
};

const erase: Route = {
  method: "DELETE",
  path: "/api/auth/me",
  auth: "customer",
  about: {
    id: "eraseMe",
    tag: "auth",
    description:
      "Deletes the caller's account, with name, e-mail and sessions, for good. Tickets stay valid, " +
      "as those of an id without a name. The e-mail can be registered again, as a new account.",
    success: { description: "Deleted" },
    refusals: ["INVALID_CREDENTIALS"],
  },
  body: {
    required: true,
    schema: objectSchema({ password: { type: "string" } }, ["password"]),
  },
  status: 204,
  audit: "account erasure",
  throttle: "password",
  call: ({ body }, bus) => bus.call("auth.erase", body),
  success: (_value, { client }) => ({ headers: removedCookie(client()), body: undefined }),
};

export const ACCOUNT_DATA_ROUTES: readonly Route[] = [exportData, erase];

const PAGE = { limit: 100 };
type Page = { items: object[]; nextCursor?: string | null; next?: string | null };

/** Reads all pages of a list, since one answer of the bus is bounded. */
async function allPages(
  bus: Bus,
  action: string,
  first: object,
  nextOf: (page: Page) => object | undefined,
): Promise<Answer<object[]>> {
  const items: object[] = [];
  let params: object | undefined = first;
  while (params !== undefined) {
    const page: Answer<Page> = await bus.call<Page>(action, params);
    if (!page.ok) return page;
    items.push(...page.value.items);
    params = nextOf(page.value);
  }
  return accepted(items);
}
