// Holders are told when an import moves or cancels their event.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Customer, type MailShop, mailShop } from "../support/mail/mail-shop.ts";
import { type SmtpFixture, startSmtp } from "../support/mail/smtp.ts";
import type { EventRecord } from "../../domain/event-record.ts";
import { changeEvent } from "../../services/catalog/import/change-event.ts";
import { insertEvents } from "../../services/catalog/events/event-store.ts";
import { eventId } from "../../lib/ids.ts";
import { waitFor } from "../support/wait-for.ts";

const RECORD: EventRecord = {
  source: "test",
  sourceId: "gala",
  name: "Gala",
  type: "concert",
  location: "Berlin",
  country: "Germany",
  url: null,
  date: "2098-07-01",
  startTime: "20:00",
  endTime: "22:00",
  duration: 120,
  timeZone: "Europe/Berlin",
  startsAt: "2098-07-01T18:00:00.000Z",
  endsAt: "2098-07-01T20:00:00.000Z",
  totalCapacity: 5_000,
  status: "scheduled",
};
const MOVED = {
  date: "2098-07-02",
  startsAt: "2098-07-02T18:00:00.000Z",
  endsAt: "2098-07-02T20:00:00.000Z",
};

describe("a change of an event", () => {
  let smtp: SmtpFixture;
  let engine: Engine;
  let shop: MailShop;
  before(async () => {
    smtp = await startSmtp();
    engine = await startEngine({ SMTP_URL: smtp.url });
    shop = mailShop(engine);
  });
  after(async () => {
    await engine.close();
    await smtp.close();
  });

  const add = async (sourceId: string): Promise<{ id: string; record: EventRecord }> => {
    const record = { ...RECORD, sourceId };
    await insertEvents(engine.database, [record]);
    return { id: eventId(record), record };
  };
  const change = async (record: EventRecord) =>
    assert.ok((await changeEvent(engine.database, record, "import")).changed);
  /** Waits until all holders are told, and returns the subjects of a customer's mails. */
  const told = async (customer: Customer): Promise<string[]> => {
    await shop.untilDone();
    return (await shop.rows(customer.id))
      .filter(({ kind }) => kind === "event-change")
      .map(({ key, reason }) => smtp.accepted.get(key)?.[0]?.subject ?? `none: ${reason}`);
  };

  it("is told to each holder once, with both dates, and to none who has cancelled", async () => {
    const { id, record } = await add("moved");
    const [german, english, gone] = await Promise.all([
      shop.addCustomer({ language: "de" }),
      shop.addCustomer(),
      shop.addCustomer(),
    ]);
    await shop.buy(german, id, 2);
    await shop.buy(english, id);
    const [ticket] = await shop.buy(gone, id);
    await shop.ask("DELETE", `/api/tickets/${ticket}`, { token: gone.token });
    await change({ ...record, ...MOVED });
    // A description is no news, and a repeated import changes nothing.
    await change({ ...record, ...MOVED, totalCapacity: 6_000 });
    const later = await shop.addCustomer();
    await shop.buy(later, id);
    assert.deepEqual(await told(english), ["New date: Gala"]);
    assert.deepEqual(await told(german), ["Neuer Termin: Gala"]);
    assert.deepEqual(await told(gone), []);
    assert.deepEqual(await told(later), []);
    const { key } = await shop.until(german, "event-change", "sent");
    const [mail] = smtp.accepted.get(key) ?? [];
    assert.match(mail?.text ?? "", /Bisher:\s+Dienstag, 1\. Juli 2098, 20:00 – 22:00/);
    assert.match(mail?.text ?? "", /Neu:\s+Mittwoch, 2\. Juli 2098, 20:00 – 22:00/);
    const calendar = new TextDecoder().decode(mail?.attachments[0]?.content as ArrayBuffer);
    assert.match(calendar, /STATUS:CONFIRMED/);
    assert.match(calendar, /DTSTART:20980702T180000Z/);
  });

  it("says cancelled, postponed, and that it takes place after all", async () => {
    const { id, record } = await add("cancelled");
    const customer = await shop.addCustomer();
    await shop.buy(customer, id);
    await change({ ...record, status: "cancelled" });
    assert.deepEqual(await told(customer), ["The event is cancelled: Gala"]);
    await change({ ...record, status: "postponed" });
    await told(customer);
    await change(record);
    assert.deepEqual(await told(customer), [
      "The event is cancelled: Gala",
      "The event is postponed: Gala",
      "The event takes place: Gala",
    ]);
  });

  it("is not told when it was taken back meanwhile", async () => {
    const { id, record } = await add("taken-back");
    const customer = await shop.addCustomer();
    await shop.buy(customer, id);
    await shop.until(customer, "receipt", "sent");
    await smtp.be("refuse");
    await change({ ...record, ...MOVED });
    await waitFor(async () =>
      (await shop.rows(customer.id)).some(
        ({ kind, attempts }) => kind === "event-change" && attempts > 0,
      ),
    );
    await engine.database.query({
      text: "UPDATE event SET starts_at = $2, ends_at = $3, date = $4 WHERE id = $1",
      values: [id, record.startsAt, record.endsAt, record.date],
    });
    await smtp.be("accept");
    await shop.hurry();
    assert.deepEqual(await told(customer), ["none: the event is again as it was"]);
  });

  it("reaches each of 1,200 holders, in parts, once", async () => {
    const { id, record } = await add("crowd");
    await engine.database.query({
      text: `
        WITH person AS (
          INSERT INTO user_account (id, email, email_key, name, password_hash)
          SELECT gen_random_uuid(), n || '@crowd.example', n || '@crowd.example', 'Ada', '-'
          FROM generate_series(1, 1200) AS n RETURNING id
        )
        INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
        SELECT gen_random_uuid(), $1, person.id, '2098-07-01',
          sha512(convert_to(person.id || ordinal::text, 'UTF8')), ordinal, now()
        FROM person, generate_series(1, 2) AS ordinal`,
      values: [id],
    });
    await change({ ...record, status: "cancelled" });
    await shop.untilDone();
    const mails = [...smtp.accepted.values()]
      .flat()
      .filter(({ to }) => to?.[0]?.address?.endsWith("@crowd.example"));
    assert.equal(mails.length, 1_200);
    assert.equal(new Set(mails.map(({ to }) => to?.[0]?.address)).size, 1_200);
  });
});
