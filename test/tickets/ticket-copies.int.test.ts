// Reads tickets from copies in Redis: after a purchase, during outages, and never a wrong one.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import type { EventRecord } from "../../domain/event-record.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { customerKey, ticketKey, transactionKey } from "../../lib/availability/ticket-copy.ts";
import { watermarkKey } from "../../lib/availability/availability-cache.ts";
import { eventId as eventIdOf } from "../../lib/ids.ts";
import { COPY_MS, type CopiesShop, openCopiesShop } from "../support/fixtures/copies-shop.ts";
import { waitFor } from "../support/wait-for.ts";
import { galaIn } from "../support/fixtures/gala.ts";

const SOON = { withinMs: 10_000 };

describe("copies of tickets", () => {
  let shop: CopiesShop;
  let engine: CopiesShop["engine"];
  let postgres: CopiesShop["postgres"];
  let redis: CopiesShop["redis"];
  let copies: CopiesShop["copies"];
  let node: CopiesShop["node"];
  before(async () => {
    shop = await openCopiesShop();
    ({ engine, postgres, redis, copies, node } = shop);
  });
  afterEach(() => {
    postgres.freeze(false);
    redis.freeze(false);
  });
  after(() => shop.close());

  const mint = () => createInternalTokenMint(engine.config.internalTokenSecret);
  const newBuyer: CopiesShop["newBuyer"] = () => shop.newBuyer();
  const buy: CopiesShop["buy"] = (...args) => shop.buy(...args);
  const get: CopiesShop["get"] = (...args) => shop.get(...args);
  const cancel: CopiesShop["cancel"] = (bought) => shop.cancel(bought);

  it("answer after a purchase without PostgreSQL", async () => {
    const bought = await buy(await engine.addEvent(), undefined, 3);
    postgres.freeze(true);
    const { ticket, token, purchase } = bought;
    const read = await get(`/api/tickets/${ticket.id}`, token);
    const { code: coded, ...plain } = read.json ?? {};
    assert.deepEqual([read.status, plain], [200, ticket]);
    assert.match(String(coded), /^boxoffice:[0-9a-f-]{36}\.[\w-]{22}$/);
    const code = await get(`/api/tickets/${ticket.id}/qr.svg`, token);
    assert.equal(code.status, 200);
    const transaction = await get(`/api/transactions/${purchase.transactionId}`, token);
    assert.equal(transaction.status, 200);
    assert.equal(transaction.json?.quantity, -3);
    for (const { ms } of [read, code, transaction]) assert.ok(ms < COPY_MS, `${ms} ms`);
  });

  it("show people their tickets while PostgreSQL is down, marked with their time", async () => {
    const buyer = newBuyer();
    const bought = await buy(await engine.addEvent({ startsInMs: 9 * 86_400_000 }), buyer, 3);
    await buy(await engine.addEvent({ startsInMs: 5 * 86_400_000 }), buyer, 2);
    await shop.isListed(buyer);
    // After the list was built: it is completed by what the worker writes.
    const later = await buy(await engine.addEvent({ startsInMs: 7 * 86_400_000 }), buyer, 2);
    await cancel(later);
    const pages = ["", "?status=active", "?status=cancelled", "?limit=2"];
    const { token } = buyer;
    const right = await Promise.all(pages.map((page) => get(`/api/tickets${page}`, token)));
    const cursor = String(right[3]?.json?.nextCursor);
    pages.push(`?limit=3&cursor=${cursor}`);
    right.push(await get(`/api/tickets?limit=3&cursor=${cursor}`, token));
    assert.equal((right[0]?.json?.items as unknown[]).length, 7);

    postgres.freeze(true);
    const first = await get("/api/tickets", token);
    const stale = await Promise.all(pages.map((page) => get(`/api/tickets${page}`, token)));
    assert.deepEqual(
      stale.map(({ status, json }) => ({ status, json })),
      right.map(({ json }) => ({ status: 200, json })),
    );
    const read = await get(`/api/tickets/${bought.ticket.id}`, token);
    const code = await get(`/api/tickets/${bought.ticket.id}/qr.svg`, token);
    for (const { ms, status, headers } of [first, ...stale, read, code]) {
      assert.equal(status, 200);
      assert.ok(ms < COPY_MS, `${ms} ms`);
      assert.equal(headers.get("warning"), '110 - "Response is Stale"');
      const ageMs = Date.now() - Date.parse(headers.get("x-data-as-of") ?? "");
      assert.ok(ageMs > 0 && ageMs < 60_000, `${ageMs} ms old`);
    }
    // Without a copy the answer is TRY_AGAIN.
    assert.equal((await get("/api/tickets", newBuyer().token)).status, 503);
    assert.equal((await get(`/api/tickets/${bought.ticket.id}`, newBuyer().token)).status, 503);
    postgres.freeze(false);
    await waitFor(async () => (await get("/api/tickets", token)).headers.get("warning") === null, {
      withinMs: 10_000,
      what: "an unmarked list",
    });
  });

  it("follow a cancellation at once, and are only their owner's", async () => {
    const bought = await buy(await engine.addEvent(), undefined, 2);
    const path = `/api/tickets/${bought.ticket.id}`;
    assert.equal((await get(path, newBuyer().token)).status, 404);
    await cancel(bought);
    const read = await get(path, bought.token);
    assert.equal(read.json?.status, "cancelled");
    assert.equal((await get(`${path}/qr.svg`, bought.token)).status, 404);
    postgres.freeze(true);
    assert.equal((await get(path, bought.token)).json?.status, "cancelled");
  });

  it("hold a transaction as pending for seconds, then PostgreSQL answers", async () => {
    const eventId = await engine.addEvent();
    const { purchase, token } = await buy(eventId);
    const { transactionId } = purchase;
    const read = () => get(`/api/transactions/${transactionId}`, token);
    assert.equal((await read()).json?.status, "pending");
    await waitFor(async () => (await read()).json?.status === "completed", {
      withinMs: 10_000,
      what: "the booked transaction",
    });
    const leftMs = await copies.pttl(transactionKey(eventId, transactionId));
    assert.ok(leftMs > 3_500_000 && leftMs <= 3_600_000, `${leftMs} ms`);
  });

  it("are not trusted after FLUSHALL or a restart", async () => {
    const eventId = await engine.addEvent();
    const bought = await buy(eventId);
    const key = ticketKey(eventId, bought.ticket.id);
    const path = `/api/tickets/${bought.ticket.id}`;
    const genuine = (await copies.get(key)) ?? "";
    const forged = genuine.replace('"location":"', '"location":"forged ');
    assert.notEqual(forged, genuine);
    const shown = async () => (await get(path, bought.token)).json?.location;
    await copies.set(key, forged);
    // A slow write has made readers doubt all copies for 5 s.
    await waitFor(async () => String(await shown()).startsWith("forged"), SOON);
    // A restart: Redis holds copies of another run.
    await copies.set(key, forged.replace(/"run":"\w+"/, '"run":"earlier"'));
    assert.equal(await shown(), bought.ticket.location);
    // FLUSHALL, and then a write that was under way: the watermark is gone, or above it.
    await copies.flushdb();
    await copies.set(key, forged);
    await copies.hset(customerKey(bought.userId), bought.ticket.id, eventId);
    assert.equal(await shown(), bought.ticket.location);
    await buy(eventId);
    assert.notEqual(await copies.get(watermarkKey(eventId)), null);
    assert.equal(await shown(), bought.ticket.location);
  });

  it("show what an import has changed: the name, the date, the status", async () => {
    const record = galaIn(2097);
    const id = eventIdOf(record);
    const importOne = (change: Partial<EventRecord>): Promise<unknown> =>
      node.broker.call(
        "catalog.import",
        { records: [{ ...record, ...change }], last: true },
        { meta: { token: mint()({ userId: randomUUID(), role: "operator" }) } },
      );
    await importOne({});
    const bought = await buy(id);
    // Before the changes: later there is no other list.
    await shop.isListed(bought);
    const listedMs = Date.now();
    const path = `/api/tickets/${bought.ticket.id}`;
    const shown = async () => (await get(path, bought.token)).json;
    // The copy answers: PostgreSQL has another name.
    const key = ticketKey(id, bought.ticket.id);
    const genuine = (await copies.get(key)) ?? "";
    await copies.set(key, genuine.replace('"eventName":"', '"eventName":"copied '));
    await waitFor(async () => String((await shown())?.eventName).startsWith("copied"), SOON);
    await importOne({ name: "A new name" });
    assert.equal((await shown())?.eventName, "A new name");
    // A worker that has sold with the old name, and writes late, sets no older watermark.
    const sold = await buy(id);
    assert.equal(
      (await get(`/api/tickets/${sold.ticket.id}`, sold.token)).json?.eventName,
      "A new name",
    );
    const [startsAt, endsAt] = ["2097-06-02T18:00:00.000Z", "2097-06-02T20:00:00.000Z"];
    const later = { date: "2097-06-02", startsAt, endsAt };
    await importOne({ name: "A new name", ...later });
    assert.equal((await shown())?.eventDate, later.date);
    await importOne({ name: "A new name", ...later, status: "cancelled" });
    assert.equal((await shown())?.eventStatus, "cancelled");
    postgres.freeze(true);
    // No copy of the old event, but the list of that time.
    const { status, headers } = await get(path, bought.token);
    assert.equal(status, 200);
    assert.ok(Date.parse(headers.get("x-data-as-of") ?? "") <= listedMs);
  });
});
