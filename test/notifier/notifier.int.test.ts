// Receipts and cancellations from a purchase over HTTP to a real SMTP server.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import ICAL from "ical.js";
import PostalMime from "postal-mime";
import { type Engine, startEngine } from "../support/engine.ts";
import { type MailShop, mailShop } from "../support/mail/mail-shop.ts";
import { type SmtpFixture, startSmtp } from "../support/mail/smtp.ts";
import { waitFor } from "../support/wait-for.ts";

const SITE = "https://tickets.example.com";

describe("the notifier", () => {
  let smtp: SmtpFixture;
  let engine: Engine;
  let shop: MailShop;
  before(async () => {
    smtp = await startSmtp();
    engine = await startEngine({ SMTP_URL: smtp.url, PUBLIC_URL: SITE });
    shop = mailShop(engine);
  });
  after(async () => {
    await engine.close();
    await smtp.close();
  });

  it("sends a receipt for a purchase, in text and HTML, with the event's date", async () => {
    const customer = await shop.addCustomer();
    const eventId = await engine.addEvent();
    await shop.buy(customer, eventId, 3);
    const { key } = await shop.until(customer, "receipt", "sent");
    const [email, ...more] = smtp.accepted.get(key) ?? [];
    assert.ok(email);
    assert.equal(more.length, 0);
    assert.equal(email.to?.[0]?.address, customer.email);
    assert.equal(email.from?.address, "no-reply@tickets.example.com");
    assert.equal(email.messageId, `<${key}@tickets.example.com>`);
    assert.equal(email.subject, "Your tickets: Concert");
    for (const part of [email.text, email.html]) {
      assert.match(part ?? "", /Concert/);
      assert.match(part ?? "", /Central European (Summer|Standard) Time/);
      assert.match(part ?? "", /https:\/\/tickets\.example\.com\/tickets/);
      assert.match(part ?? "", /Tickets(:\s+|<\/th><td>)3/);
    }
    assert.doesNotMatch(email.html ?? "", /<img|<script|@import|url\(|src=/);
    const [attached] = email.attachments;
    assert.match(attached?.mimeType ?? "", /^text\/calendar/);
    const calendar = new ICAL.Component(
      ICAL.parse(new TextDecoder().decode(attached?.content as ArrayBuffer)) as never,
    );
    const [entry] = calendar.getAllSubcomponents("vevent");
    assert.equal(entry?.getFirstPropertyValue("uid"), `${key.replaceAll("-", "")}@boxoffice`);
    assert.equal(entry?.getFirstPropertyValue("url"), `${SITE}/events/${eventId}`);
  });

  it("sends one mail for a repeated purchase, and none to an account that is not there", async () => {
    const customer = await shop.addCustomer();
    const stranger = { id: randomUUID(), email: "", token: "" };
    stranger.token = engine.accessToken(stranger.id);
    const eventId = await engine.addEvent();
    const headers = { "Idempotency-Key": randomUUID() };
    const ask = () =>
      shop.ask("POST", `/api/events/${eventId}/tickets`, {
        token: customer.token,
        headers,
        json: {},
      });
    for (let tries = 0; tries < 2; tries += 1) assert.equal((await ask()).status, 201);
    await shop.buy(stranger, eventId);
    const { key } = await shop.until(customer, "receipt", "sent");
    await waitFor(async () => {
      const [row] = await engine.database.query<{ pending: number }>({
        text: `SELECT count(*)::integer AS pending FROM event_ticket_transactions
          WHERE event_id = $1`,
        values: [eventId],
      });
      return row?.pending === 0;
    });
    assert.equal(smtp.accepted.get(key)?.length, 1);
    assert.deepEqual(await shop.rows(stranger.id), []);
  });

  it("tells of a cancellation in German, and takes the date away with the last ticket", async () => {
    const customer = await shop.addCustomer({ language: "de" });
    const eventId = await engine.addEvent();
    const tickets = await shop.buy(customer, eventId, 2);
    await shop.until(customer, "receipt", "sent");
    const cancel = async (ticketId: string | undefined) => {
      const path = `/api/tickets/${ticketId}`;
      assert.equal((await shop.ask("DELETE", path, { token: customer.token })).status, 200);
    };
    const mails = () =>
      waitFor(async () => {
        const rows = (await shop.rows(customer.id)).filter(({ kind }) => kind === "cancellation");
        return rows.every(({ state }) => state === "sent") && rows.map(({ key }) => key);
      });
    await cancel(tickets[0]);
    await waitFor(async () => (await mails()).length === 1);
    await cancel(tickets[1]);
    const keys = await waitFor(async () => (await mails()).length === 2 && (await mails()));
    const [first, second] = keys.map((key) => smtp.accepted.get(key)?.[0]);
    assert.equal(first?.subject, "Storniert: Concert");
    assert.match(first?.html ?? "", /<html lang="de">/);
    assert.match(first?.text ?? "", /Weiterhin gültig:\s+1/);
    const [kept, gone] = [first, second].map((mail) =>
      new TextDecoder().decode(mail?.attachments[0]?.content as ArrayBuffer),
    );
    assert.match(kept ?? "", /STATUS:CONFIRMED/);
    assert.match(gone ?? "", /STATUS:CANCELLED/);
  });

  it("sends nothing that a person has switched off", async () => {
    const customer = await shop.addCustomer({ mailsOff: ["receipt"] });
    await shop.buy(customer, await engine.addEvent());
    const { key, reason } = await shop.until(customer, "receipt", "skipped");
    assert.equal(smtp.accepted.get(key), undefined);
    assert.match(reason ?? "", /switched/);
  });

  it("sends with two notifiers each mail once", async () => {
    const second = await engine.startNode({ SERVICES: "notifier", SMTP_URL: smtp.url });
    const customer = await shop.addCustomer();
    const eventId = await engine.addEvent();
    await engine.database.query({
      text: `INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
        SELECT gen_random_uuid(), $1, $2, '2099-01-01', sha512(n::text::bytea), 1, now()
        FROM generate_series(1, 200) AS n`,
      values: [eventId, customer.id],
    });
    await engine.database.query({
      text: `INSERT INTO notification (dedupe_key, kind, account_id, event_id)
        SELECT encode(substr(transaction_id, 1, 16), 'hex')::uuid, 'receipt', user_id, event_id
        FROM event_tickets WHERE event_id = $1`,
      values: [eventId],
    });
    await shop.untilDone();
    const rows = await shop.rows(customer.id);
    assert.equal(rows.length, 200);
    assert.deepEqual(
      rows.filter(({ key }) => smtp.accepted.get(key)?.length !== 1),
      [],
    );
    await second.stop();
  });
});

describe("the notifier without SMTP_URL", () => {
  it("writes mails as files, also while RabbitMQ is down", async () => {
    const engine = await startEngine({ SERVICES: "api,auth,catalog,purchasing,ledger" });
    // Nothing listens there.
    const down = { AMQP_URL: "amqp://a:b@127.0.0.1:1" };
    const notifier = { SERVICES: "notifier", MAILS_PER_SECOND: "1", ...down };
    try {
      await engine.startNode(notifier);
      const shop = mailShop(engine);
      const customer = await shop.addCustomer();
      await shop.buy(customer, await engine.addEvent());
      const { key } = await shop.until(customer, "receipt", "sent");
      const folder = join(engine.config.dataDir, "mail");
      assert.deepEqual(await readdir(folder), [`${key}.eml`]);
      const email = await PostalMime.parse(await readFile(join(folder, `${key}.eml`)));
      assert.equal(email.to?.[0]?.address, customer.email);
      await atOneASecond(engine, shop);
    } finally {
      await engine.close();
    }
  });

  it("leaves the processor to a sale: MAILS_PER_SECOND by RabbitMQ, too", async () => {
    const engine = await startEngine({ MAILS_PER_SECOND: "1" });
    try {
      await atOneASecond(engine, mailShop(engine));
    } finally {
      await engine.close();
    }
  });

  /** Four mails are due at once: three seconds lie between the first and the last. */
  async function atOneASecond(engine: Engine, shop: MailShop): Promise<void> {
    await shop.untilDone();
    const customer = await shop.addCustomer();
    await engine.database.query({
      text: `INSERT INTO notification (dedupe_key, kind, account_id)
        SELECT gen_random_uuid(), 'receipt', $1 FROM generate_series(1, 4)`,
      values: [customer.id],
    });
    await shop.untilDone();
    const [row] = await engine.database.query<{ tookS: number }>({
      text: `SELECT extract(epoch FROM max(done_at) - min(done_at))::float8 AS "tookS"
        FROM notification WHERE account_id = $1`,
      values: [customer.id],
    });
    assert.ok((row?.tookS ?? 0) > 2, `all four after ${row?.tookS} s`);
  }
});
