// Sells one event from two nodes: all places, each once, at any number of retries.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { availableKey } from "../../lib/availability/availability-cache.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { openRedis, whenReady } from "../../lib/redis/client.ts";
import type { Ticket } from "../../services/purchasing/worker/ports.ts";
import { waitFor } from "../support/wait-for.ts";
import { codes, sold, startTwoNodes, type TwoNodes } from "./two-nodes.ts";

describe("purchases on two nodes", () => {
  let world: TwoNodes;
  before(async () => (world = await startTwoNodes()));
  after(() => world.engine.close());

  it("sells exactly 100 places to 1,000 parallel buyers, and all copies agree", async () => {
    const eventId = await world.engine.addEvent({ capacity: 100 });
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => world.buyPatiently(eventId, randomUUID(), "k")),
    );
    assert.equal(sold(answers).length, 100);
    assert.deepEqual(codes(answers), ["EVENT_SOLD_OUT", "ok"]);
    await world.untilBooked(eventId);
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 0,
      pending: 0,
      tickets: 100,
      booked: -100,
    });
    const redis = openRedis(world.engine.config.redisUrl ?? "", () => undefined);
    assert.ok(await whenReady(redis, 2_000));
    const copy = JSON.parse((await redis.get(availableKey(eventId))) ?? "{}") as {
      available?: number;
    };
    assert.equal(copy.available, 0);
    redis.disconnect();
  });

  it("serves events on both nodes by their ranking", async () => {
    const eventIds = await Promise.all(
      Array.from({ length: 12 }, () => world.engine.addEvent({ capacity: 1 })),
    );
    await Promise.all(eventIds.map((eventId) => world.buyPatiently(eventId, randomUUID(), "k")));
    const rows = await world.engine.database.query<{ node: string }>({
      text: "SELECT DISTINCT node FROM event_worker WHERE event_id = ANY ($1::uuid[])",
      values: [eventIds],
    });
    assert.equal(rows.length, 2);
  });

  it("sells once for 30 parallel retries of one key, with the same tickets for all", async () => {
    const eventId = await world.engine.addEvent();
    const userId = randomUUID();
    const purchases = sold(
      await Promise.all(Array.from({ length: 30 }, () => world.buy(eventId, userId, "one", 2))),
    );
    assert.equal(purchases.length, 30);
    assert.equal(
      new Set(
        purchases.map(({ transactionId, tickets }) =>
          JSON.stringify([transactionId, tickets.map(({ id }) => id)]),
        ),
      ).size,
      1,
    );
    assert.equal(purchases.filter(({ replayed }) => !replayed).length, 1);
    assert.equal((await world.numbers(eventId)).tickets, 2);
  });

  it("refuses a key used for another quantity, and does not bind a refused key", async () => {
    const eventId = await world.engine.addEvent({ capacity: 3 });
    const userId = randomUUID();
    await world.buy(eventId, userId, "k", 2);
    assert.deepEqual(codes([await world.buy(eventId, userId, "k", 1)]), ["IDEMPOTENCY_KEY_REUSED"]);
    assert.deepEqual(codes([await world.buy(eventId, userId, "free", 2)]), ["EVENT_SOLD_OUT"]);
    assert.deepEqual(codes([await world.buy(eventId, userId, "free", 1)]), ["ok"]);
    assert.deepEqual(codes([await world.buy(eventId, randomUUID(), "k", 1)]), ["EVENT_SOLD_OUT"]);
  });

  it("replays a purchase after the event has sold out and started", async () => {
    const eventId = await world.engine.addEvent({ capacity: 1, startsInMs: 1_500 });
    const userId = randomUUID();
    const [first] = sold([await world.buy(eventId, userId, "k")]);
    assert.deepEqual(codes([await world.buy(eventId, randomUUID(), "k")]), ["EVENT_SOLD_OUT"]);
    await waitFor(
      async () => codes([await world.buy(eventId, randomUUID(), "k")])[0] === "EVENT_OVER",
    );
    const [replay] = sold([await world.buy(eventId, userId, "k")]);
    assert.deepEqual([replay?.replayed, replay?.tickets], [true, first?.tickets]);
  });

  it("keeps the customer limit for parallel purchases, and counts a cancellation", async () => {
    const eventId = await world.engine.addEvent();
    const userId = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => world.buyPatiently(eventId, userId, `k${index}`)),
    );
    assert.equal(sold(answers).length, 10);
    assert.deepEqual(codes(answers), ["PURCHASE_LIMIT_REACHED", "ok"]);
    const ticketId = sold(answers)[0]?.tickets[0]?.id ?? assert.fail();
    assert.ok((await world.call<Ticket>("purchasing.cancel", { eventId, ticketId }, userId)).ok);
    assert.deepEqual(
      codes([
        await world.buy(eventId, userId, "again"),
        await world.buy(eventId, userId, "too many"),
      ]),
      ["PURCHASE_LIMIT_REACHED", "ok"],
    );
  });

  it("frees one place for 20 parallel cancellations, with equal answers", async () => {
    const eventId = await world.engine.addEvent({ capacity: 1 });
    const userId = randomUUID();
    const ticketId =
      sold([await world.buy(eventId, userId, "k")])[0]?.tickets[0]?.id ?? assert.fail();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        world.call<Ticket>("purchasing.cancel", { eventId, ticketId }, userId),
      ),
    );
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
    assert.deepEqual(answers[0]?.ok === true && [answers[0].value.id, answers[0].value.status], [
      ticketId,
      "cancelled",
    ]);
    const buyers = await Promise.all(
      Array.from({ length: 5 }, () => world.buy(eventId, randomUUID(), "k")),
    );
    assert.equal(sold(buyers).length, 1);
    await world.untilBooked(eventId);
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 0,
      pending: 0,
      tickets: 1,
      booked: -1,
    });
  });

  it("forwards a command from the wrong node to the owner once", async () => {
    const eventId = await world.engine.addEvent({ capacity: 1 });
    await world.buy(eventId, randomUUID(), "k");
    // Each node is called by name, the owner and the other.
    const outcomes = await Promise.all(
      world.sellers().map((nodeID) => world.buy(eventId, randomUUID(), "wrong node", 1, nodeID)),
    );
    assert.equal(outcomes.length, 2);
    assert.deepEqual(codes(outcomes), ["EVENT_SOLD_OUT"]);
    const [row] = await world.engine.database.query<{ batch: string }>({
      text: "SELECT batch FROM event_worker WHERE event_id = $1",
      values: [eventId],
    });
    // One batch of one epoch: the other node did not take over the event.
    assert.equal(row?.batch, "1");
  });

  it("sells while all connections for reads are in use", async () => {
    const eventId = await world.engine.addEvent();
    // The pool that the nodes of this process share.
    const reading = openDatabase(world.engine.config.databaseUrl ?? "", "sale");
    const reads = Array.from({ length: 40 }, () =>
      reading.query({ text: "SELECT pg_sleep(0.7)" }).catch(() => undefined),
    );
    assert.deepEqual(codes([await world.buy(eventId, randomUUID(), "k")]), ["ok"]);
    await Promise.all(reads);
    await reading.close();
  });

  it("rejects a command without quantity from another node", async () => {
    const eventId = await world.engine.addEvent({ capacity: 1 });
    const userId = randomUUID();
    for (const type of ["BuyTickets", "CancelTicket"]) {
      const command = { type, transactionId: "0".repeat(128), userId };
      assert.deepEqual(
        codes([await world.call("purchasing.serve", { eventId, command }, userId)]),
        ["VALIDATION_ERROR"],
      );
    }
    const buyers = await Promise.all(
      Array.from({ length: 3 }, () => world.buy(eventId, randomUUID(), "k")),
    );
    assert.equal(sold(buyers).length, 1);
  });

  it("answers EVENT_NOT_FOUND for an unknown event", async () => {
    assert.deepEqual(codes([await world.buy(randomUUID(), randomUUID(), "k")]), [
      "EVENT_NOT_FOUND",
    ]);
  });
});
