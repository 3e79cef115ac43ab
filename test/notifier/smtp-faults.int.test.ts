import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Customer, type MailShop, mailShop } from "../support/mail/mail-shop.ts";
import { type Mood, type SmtpFixture, startSmtp } from "../support/mail/smtp.ts";
import { runBoxoffice } from "../support/processes/boxoffice.ts";
import { waitFor } from "../support/wait-for.ts";

const BUYERS = 6;

describe("F34: the SMTP server fails", () => {
  let smtp: SmtpFixture;
  let engine: Engine;
  let shop: MailShop;
  let eventId: string;
  before(async () => {
    smtp = await startSmtp();
    engine = await startEngine({ SMTP_URL: smtp.url });
    shop = mailShop(engine);
    eventId = await engine.addEvent({ capacity: 1_000 });
  });
  after(async () => {
    await engine.close();
    await smtp.close();
  });

  /** Sells to new customers, who are answered whatever the SMTP server does. */
  const sell = async (): Promise<Customer[]> => {
    const customers = await Promise.all(Array.from({ length: BUYERS }, () => shop.addCustomer()));
    await Promise.all(customers.map((customer) => shop.buy(customer, eventId)));
    return customers;
  };
  const receiptsOf = async (customers: readonly Customer[]) =>
    (await Promise.all(customers.map(({ id }) => shop.rows(id)))).flat();
  /** Waits until each customer has got one receipt, without the waiting times between tries. */
  const eachOnce = async (customers: readonly Customer[]): Promise<void> => {
    await waitFor(
      async () => {
        await shop.hurry();
        const rows = await receiptsOf(customers);
        return rows.length === BUYERS && rows.every(({ state }) => state === "sent");
      },
      { withinMs: 120_000, what: "All receipts are sent" },
    );
    for (const { key } of await receiptsOf(customers))
      assert.equal(smtp.accepted.get(key)?.length, 1, "once");
  };

  for (const mood of ["refuse", "disconnect", "stall", "busy", "greylist"] satisfies Mood[])
    it(`F34: while it does ${mood}, tickets are sold, and each receipt comes once after`, async () => {
      await smtp.be(mood);
      const customers = await sell();
      const [failed] = await waitFor(
        async () => {
          const rows = (await receiptsOf(customers)).filter(({ reason }) => reason !== null);
          return rows.length > 0 && rows;
        },
        { withinMs: 60_000, what: "A try has failed" },
      );
      assert.equal(failed?.state, "waiting");
      assert.doesNotMatch(failed?.reason ?? "", /example\.org/, "no address in the table");
      await smtp.be("accept");
      await eachOnce(customers);
    });

  it("F34: a receipt that is refused for good waits as a dead letter for an operator", async () => {
    await smtp.be("unknown");
    const customers = await sell();
    await waitFor(
      async () =>
        (await receiptsOf(customers)).filter(({ state }) => state === "dead").length === 6,
      { withinMs: 60_000, what: "All receipts are dead letters" },
    );
    await smtp.be("accept");
    const run = (...words: string[]) => runBoxoffice(engine.environment, ["mail", ...words]);
    const listed = await run("list");
    assert.equal(listed.code, 1, listed.error);
    assert.match(listed.out, /receipt {2}dead.*\n.*550/);
    assert.match(listed.out, /6 dead letters/);
    assert.doesNotMatch(listed.out, /example\.org/);
    const [first] = await receiptsOf(customers);
    const one = await run("retry", first?.key ?? "");
    assert.equal(one.code, 0, one.error);
    assert.match(one.out, /1 dead letter is sent again/);
    const all = await run("retry", "--all");
    assert.match(all.out, /5 dead letters are sent again/);
    await eachOnce(customers);
    assert.equal((await run("list")).code, 0);
  });
});
