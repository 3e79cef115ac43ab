import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Engine } from "../engine.ts";
import { type HttpClient, httpClient } from "../http/http.ts";
import { waitFor } from "../wait-for.ts";

export type Customer = { id: string; email: string; token: string };
export type NotificationRow = {
  key: string;
  kind: string;
  state: string;
  attempts: number;
  accountId: string | null;
  reason: string | null;
};

/** Customers with accounts, and the table of notifications, of an engine. */
export type MailShop = {
  ask: HttpClient;
  /** Adds an account, without the cost of a password hash. */
  addCustomer(options?: { language?: string; mailsOff?: string[] }): Promise<Customer>;
  /** Buys, again while the engine says TRY_AGAIN. Returns the tickets' ids. */
  buy(customer: Pick<Customer, "token">, eventId: string, quantity?: number): Promise<string[]>;
  rows(accountId?: string): Promise<NotificationRow[]>;
  /** Makes what waits for another try due now, as time would. Leaves claims of two minutes. */
  hurry(): Promise<void>;
  /** Waits until nothing waits any more. */
  untilDone(): Promise<unknown>;
  /** Waits until the customer's notifications of this kind are in this state. */
  until(customer: Customer, kind: string, state: string): Promise<NotificationRow>;
};

export function mailShop(engine: Engine): MailShop {
  const ask = httpClient(engine.url);
  const { database } = engine;
  const shop: MailShop = {
    ask,
    async addCustomer({ language = "en", mailsOff = [] } = {}) {
      const id = randomUUID();
      const email = `${id}@example.org`;
      await database.query({
        text: `INSERT INTO user_account
            (id, email, email_key, name, password_hash, language, mails_off)
          VALUES ($1, $2, $2, 'Ada', '-', $3, $4)`,
        values: [id, email, language, mailsOff],
      });
      return { id, email, token: engine.accessToken(id) };
    },
    async buy({ token }, eventId, quantity = 1) {
      const headers = { "Idempotency-Key": randomUUID() };
      const answer = await waitFor(
        async () => {
          const json = { quantity };
          const path = `/api/events/${eventId}/tickets`;
          const reply = await ask("POST", path, { token, headers, json });
          assert.ok([201, 503].includes(reply.status), reply.text);
          return reply.status === 201 && reply;
        },
        { withinMs: 30_000, what: "A ticket was sold" },
      );
      return (answer.json?.tickets as { id: string }[]).map(({ id }) => id);
    },
    rows: (accountId) =>
      database.query<NotificationRow>({
        text: `SELECT dedupe_key AS key, kind, state, attempts, account_id AS "accountId", reason
          FROM notification WHERE $1::uuid IS NULL OR account_id = $1 ORDER BY created_at`,
        values: [accountId ?? null],
      }),
    async hurry() {
      await database.query({
        text: `UPDATE notification SET due_at = clock_timestamp()
          WHERE state = 'waiting' AND due_at < clock_timestamp() + interval '100 s'`,
      });
    },
    untilDone: () =>
      waitFor(
        async () => {
          const [row] = await database.query<{ waiting: number }>({
            text: `SELECT count(*)::integer AS waiting FROM notification WHERE state = 'waiting'`,
          });
          return row?.waiting === 0;
        },
        { withinMs: 300_000, what: "No notification waits" },
      ),
    until: (customer, kind, state) =>
      waitFor(
        async () =>
          (await shop.rows(customer.id)).find((row) => row.kind === kind && row.state === state),
        { withinMs: 60_000, what: `A ${kind} of ${customer.email} is ${state}` },
      ),
  };
  return shop;
}
