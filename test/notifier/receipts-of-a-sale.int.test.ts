// A sale whose receipts go through a failing SMTP server. Prints how long purchases take with and
// without receipts: see ADR-0089.
import assert from "node:assert/strict";
import { setTimeout as until } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Customer, type MailShop, mailShop } from "../support/mail/mail-shop.ts";
import { type Mood, type SmtpFixture, startSmtp } from "../support/mail/smtp.ts";
import { waitFor } from "../support/wait-for.ts";

const ROUNDS = 3;
const SALES_A_ROUND = 334;
/** Purchases per second, spread evenly: the arrival does not wait for answers. */
const RATE = 50;

describe("F34: a sale of 1,000 tickets through a failing SMTP server", () => {
  let smtp: SmtpFixture;
  let engine: Engine;
  let shop: MailShop;
  let eventId: string;
  before(async () => {
    smtp = await startSmtp();
    engine = await startEngine({ SMTP_URL: smtp.url, MAILS_PER_SECOND: "1000" });
    shop = mailShop(engine);
    eventId = await engine.addEvent({ capacity: 10_000 });
    await shop.buy(await shop.addCustomer(), eventId);
  });
  after(async () => {
    await engine.close();
    await smtp.close();
  });

  /** Each mail fails in one way or another, now and then. */
  const moods = (): (() => Mood) => {
    let count = 0;
    return () => {
      count += 1;
      if (count % 300 === 7) return "stall";
      if (count % 40 === 3) return "disconnect";
      if (count % 10 === 5) return "busy";
      return count % 10 === 6 ? "greylist" : "accept";
    };
  };

  /** Sells one ticket to each, at an even rate. Returns how long each took, in ms. */
  const sellTo = async (buyers: readonly Pick<Customer, "token">[]): Promise<number[]> => {
    const startedMs = performance.now();
    return Promise.all(
      buyers.map(async (buyer, index) => {
        await until((index * 1_000) / RATE - (performance.now() - startedMs));
        const beganMs = performance.now();
        await shop.buy(buyer, eventId);
        return performance.now() - beganMs;
      }),
    );
  };
  const p99 = (times: readonly number[]): number =>
    times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;

  it("F34: sends each receipt once and loses none, and sells as fast as without", async (t) => {
    await smtp.be(moods());
    const customers: Customer[] = [];
    const [without, withMail]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      // Buyers without account get no receipt.
      const strangers = Array.from({ length: SALES_A_ROUND }, () => ({
        token: engine.accessToken(),
      }));
      without.push(p99(await sellTo(strangers)));
      const buyers = await Promise.all(
        Array.from({ length: SALES_A_ROUND }, () => shop.addCustomer()),
      );
      customers.push(...buyers);
      withMail.push(p99(await sellTo(buyers)));
      await shop.hurry();
    }
    await waitFor(
      async () => {
        await shop.hurry();
        const [row] = await engine.database.query<{ waiting: number }>({
          text: `SELECT count(*)::integer AS waiting FROM notification WHERE state = 'waiting'`,
        });
        return row?.waiting === 0;
      },
      { withinMs: 570_000, what: "All receipts are sent" },
    );
    const rows = await shop.rows();
    assert.equal(rows.length, 1 + ROUNDS * SALES_A_ROUND);
    assert.deepEqual(
      rows.filter(({ key, state }) => state !== "sent" || smtp.accepted.get(key)?.length !== 1),
      [],
    );
    assert.ok(smtp.tries() > 1.2 * rows.length, `only ${smtp.tries()} tries: it has hardly failed`);
    const shown = (times: readonly number[]): string => times.map((ms) => ms.toFixed(1)).join(", ");
    t.diagnostic(
      `${customers.length} receipts after ${smtp.tries()} tries; p99 of purchases in ms, ` +
        `without: ${shown(without)}, with: ${shown(withMail)}`,
    );
  });
});
