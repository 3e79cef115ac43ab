// Doubts copies after a write that may be lost: PostgreSQL answers, and copies only without it.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Answer } from "../../domain/refusal.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { watermarkKey } from "../../lib/availability/availability-cache.ts";
import { type CopiesDoubted, ticketKey } from "../../lib/availability/ticket-copy.ts";
import { nodesOffering } from "../../lib/bus/event-owner.strategy.ts";
import { COPIES_DOUBTED } from "../../services/purchasing/availability/copies-doubted.ts";
import type { Ticket } from "../../services/purchasing/worker/ports.ts";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { COPY_MS, type CopiesShop, openCopiesShop } from "../support/fixtures/copies-shop.ts";
import { waitFor } from "../support/wait-for.ts";

/** Less than a notice lasts that is not taken back. */
const BEFORE_5_S = { withinMs: 4_000 };
const PURCHASES = 50;

describe("doubted copies of tickets", () => {
  let shop: CopiesShop;
  let engine: CopiesShop["engine"];
  let postgres: CopiesShop["postgres"];
  let redis: CopiesShop["redis"];
  let copies: CopiesShop["copies"];
  let node: CopiesShop["node"];
  let metricsUrl: string;
  before(async () => {
    const port = String(await freePort());
    metricsUrl = `http://127.0.0.1:${port}/metrics`;
    shop = await openCopiesShop({ METRICS_PORT: port });
    ({ engine, postgres, redis, copies, node } = shop);
  });
  afterEach(() => {
    postgres.freeze(false);
    redis.freeze(false);
  });
  after(() => shop.close());

  /** Reads of tickets and transactions, by source. */
  const reads = async (): Promise<Record<string, number>> => {
    const text = await (await fetch(metricsUrl)).text();
    const sums: Record<string, number> = {};
    for (const [, source = "", value] of text.matchAll(
      /^boxoffice_ticket_reads_total\{read="(?:ticket|transaction)",source="(\w+)"\} (\d+)/gm,
    ))
      sums[source] = (sums[source] ?? 0) + Number(value);
    return sums;
  };
  const notify = (notice: CopiesDoubted): Promise<void> =>
    node.broker.broadcast(COPIES_DOUBTED, notice);
  /** Makes the copy of a ticket differ from PostgreSQL. Resolves to what a reader shows then. */
  const forge = async (eventId: string, { ticket, token }: { ticket: Ticket; token: string }) => {
    const key = ticketKey(eventId, ticket.id);
    const genuine = (await copies.get(key)) ?? "";
    await copies.set(key, genuine.replace('"location":"', '"location":"forged '));
    return async (): Promise<boolean> => {
      const { json } = await shop.get(`/api/tickets/${ticket.id}`, token);
      return String(json?.location).startsWith("forged ");
    };
  };

  it("are rare: copies answer more than 90 % of the reads after purchases", async (test) => {
    /** Share of reads right after purchases that copies answer. */
    const hitRate = async (): Promise<number> => {
      const eventId = await engine.addEvent({ capacity: PURCHASES });
      const before = await reads();
      for (let count = 0; count < PURCHASES; count += 1) {
        const { ticket, purchase, token } = await shop.buy(eventId);
        for (const path of [`tickets/${ticket.id}`, `transactions/${purchase.transactionId}`])
          assert.equal((await shop.get(`/api/${path}`, token)).status, 200);
      }
      const after = await reads();
      const [hits = 0, misses = 0] = ["redis", "postgres"].map(
        (source) => (after[source] ?? 0) - (before[source] ?? 0),
      );
      assert.equal(hits + misses, 2 * PURCHASES);
      return hits / (hits + misses);
    };
    // A busy machine may be late with a copy. Copies that are doubted too often are so each time.
    let rate = 0;
    for (let tries = 1; rate <= 0.9 && tries <= 3; tries += 1) rate = await hitRate();
    test.diagnostic(`hit rate ${(100 * rate).toFixed(1)} %`);
    assert.ok(rate > 0.9, `hit rate ${rate}`);
    // The control: without Redis every read is a miss.
    const { ticket, token } = await shop.buy(await engine.addEvent());
    const before = await reads();
    redis.freeze(true);
    assert.equal((await shop.get(`/api/tickets/${ticket.id}`, token)).status, 200);
    assert.equal((await reads()).postgres, (before.postgres ?? 0) + 1);
  });

  it("answer for a ticket while PostgreSQL does not, and for no list", async () => {
    const eventId = await engine.addEvent();
    const bought = await shop.buy(eventId, undefined, 2);
    await shop.isListed(bought);
    const isForged = await forge(eventId, bought);
    await waitFor(isForged, { withinMs: 10_000, what: "a trusted copy" });
    await notify({ id: 1_000 });
    assert.equal(await isForged(), false, "PostgreSQL answers");
    const { token, ticket } = bought;
    const path = `/api/tickets/${ticket.id}`;
    postgres.freeze(true);
    // Before the probe has noticed it, too.
    for (let count = 0; count < 3; count += 1) {
      await notify({ id: 1_000 });
      const read = await shop.get(path, token);
      assert.equal(read.status, 200);
      assert.equal(read.headers.get("warning"), '110 - "Response is Stale"');
    }
    assert.equal((await shop.get(`${path}/qr.svg`, token)).status, 200);
    await notify({ id: 1_000 });
    assert.equal((await shop.get("/api/tickets", token)).status, 503, "it may lack a ticket");
    // Another notice is taken back.
    await notify({ id: 999, settled: true });
    assert.equal((await shop.get("/api/tickets", token)).status, 503);
    await notify({ id: 1_000, settled: true });
    const list = await shop.get("/api/tickets", token);
    assert.equal(list.status, 200);
    assert.equal((list.json?.items as unknown[]).length, 2);
    assert.ok(list.ms < COPY_MS, `${list.ms} ms`);
  });

  it("are trusted again as soon as a late write has arrived", async () => {
    const eventId = await engine.addEvent();
    const isForged = await forge(eventId, await shop.buy(eventId));
    await waitFor(isForged, { withinMs: 10_000, what: "a trusted copy" });
    const other = await engine.addEvent();
    redis.freeze(true);
    await shop.buy(other);
    redis.freeze(false);
    await waitFor(isForged, BEFORE_5_S);
  });

  it("are known everywhere when a worker cannot reach Redis", async () => {
    const eventId = await engine.addEvent();
    const bought = await shop.buy(eventId);
    // A node that reaches Redis, and reads the copy that the worker cannot withdraw.
    const reader = await engine.startNode({ SERVICES: "purchasing" });
    await waitFor(() => nodesOffering(node.broker, "purchasing.tickets.get").length === 2);
    await shop.trusts();
    const mint = createInternalTokenMint(engine.config.internalTokenSecret);
    const read = async (): Promise<string> => {
      const answer: Answer<Ticket> = await reader.broker.call(
        "purchasing.tickets.get",
        { ticketId: bought.ticket.id },
        {
          nodeID: reader.broker.nodeID,
          meta: { token: mint({ userId: bought.userId, role: "customer" }) },
        },
      );
      return answer.ok ? answer.value.status : answer.refusal.code;
    };
    assert.equal(await read(), "active");
    const key = ticketKey(eventId, bought.ticket.id);
    const before = await copies.get(key);
    redis.freeze(true);
    // Either node may own the event now. With Redis, its owner withdraws the copy.
    await shop.cancel(bought);
    assert.equal(await read(), "cancelled");
    redis.freeze(false);
    const versionOf = (text: string | null): number =>
      (JSON.parse(text ?? "{}") as { batch?: number }).batch ?? 0;
    await waitFor(
      async () =>
        (await copies.get(key)) !== before ||
        versionOf(await copies.get(watermarkKey(eventId))) > versionOf(before),
      { withinMs: 10_000, what: "the repair" },
    );
    assert.equal(await read(), "cancelled");
  });
});
