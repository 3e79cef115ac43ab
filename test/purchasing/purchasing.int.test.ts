// The rush on one event with two nodes: exactly what there is gets sold, once, whoever asks how often.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Answer } from "../../domain/refusal.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { availableKey } from "../../lib/availability/availability-cache.ts";
import { openRedis, whenReady } from "../../lib/redis/client.ts";
import type { RunningNode } from "../../main.ts";
import type { Purchase, Ticket } from "../../services/purchasing/worker/ports.ts";
import type { TicketPage } from "../../services/purchasing/tickets/ticket-list.ts";
import type { TransactionView } from "../../services/purchasing/tickets/ticket-queries.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { waitFor } from "../support/wait-for.ts";

describe("purchasing over two nodes", () => {
  let engine: Engine;
  let nodes: RunningNode[];
  let call: <T>(
    action: string,
    params: object,
    userId: string,
    nodeIndex?: number,
  ) => Promise<Answer<T>>;

  const buy = (eventId: string, userId: string, key: string, quantity = 1, nodeIndex?: number) =>
    call<Purchase>("purchasing.buy", { eventId, quantity, key }, userId, nodeIndex);
  const sold = (answers: Answer<Purchase>[]) =>
    answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
  const codes = (answers: Answer<unknown>[]) =>
    [...new Set(answers.map((answer) => (answer.ok ? "ok" : answer.refusal.code)))].sort();
  const numbers = async (eventId: string) => {
    const [row] = await engine.database.query<
      Record<"capacity" | "pending" | "tickets" | "booked", number>
    >({
      text: `
        SELECT capacity, (SELECT count(*)::integer FROM event_ticket_transactions WHERE event_id = $1) AS pending,
          (SELECT count(*)::integer FROM event_tickets WHERE event_id = $1 AND cancelled_at IS NULL) AS tickets,
          (SELECT coalesce(sum(quantity), 0)::integer FROM capacity_ledger WHERE event_id = $1) AS booked
        FROM event WHERE id = $1`,
      values: [eventId],
    });
    return row ?? assert.fail("the event is there");
  };
  /** The nodes that sell, as the caller sees them. */
  const sellers = (): string[] => {
    const actions = nodes[1]?.broker.registry.actions as unknown as {
      actions: Map<string, { endpoints: { id: string }[] }>;
    };
    return (actions.actions.get("purchasing.buy")?.endpoints ?? []).map(({ id }) => id);
  };
  const quiet = (eventId: string) =>
    waitFor(async () => (await numbers(eventId)).pending === 0, {
      withinMs: 15_000,
      what: "an empty outbox",
    });

  before(async () => {
    engine = await startEngine();
    const second = await engine.startNode({ SERVICES: "purchasing" });
    const third = await engine.startNode({ SERVICES: "auth" });
    nodes = [second, third];
    const mint = createInternalTokenMint(engine.config.internalTokenSecret);
    call = (action, params, userId, nodeIndex = 1) =>
      (nodes[nodeIndex] ?? assert.fail()).broker.call(action, params, {
        meta: { token: mint({ userId, role: "customer" }) },
      });
    // The caller sees both nodes that sell.
    await waitFor(() => sellers().length === 2);
  });
  after(() => engine.close());

  it("sells 100 places to 1,000 buyers at once, no more and no fewer, and all copies agree when quiet", async () => {
    const eventId = await engine.addEvent({ capacity: 100 });
    const insist = async (userId: string): Promise<Answer<Purchase>> => {
      const answer = await buy(eventId, userId, "k");
      // On a busy machine some wait their half second; nothing was sold to them, so they ask again.
      return !answer.ok && answer.refusal.code === "TRY_AGAIN" ? insist(userId) : answer;
    };
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => insist(randomUUID())));
    assert.equal(sold(answers).length, 100);
    assert.deepEqual(codes(answers), ["EVENT_SOLD_OUT", "ok"]);
    await quiet(eventId);
    assert.deepEqual(await numbers(eventId), {
      capacity: 0,
      pending: 0,
      tickets: 100,
      booked: -100,
    });
    const redis = openRedis(engine.config.redisUrl ?? "", () => undefined);
    assert.ok(await whenReady(redis, 2_000));
    const copy = JSON.parse((await redis.get(availableKey(eventId))) ?? "{}") as {
      available?: number;
    };
    assert.equal(copy.available, 0);
    redis.disconnect();
  });

  it("serves events on both nodes, each where the ranking says", async () => {
    const eventIds = await Promise.all(
      Array.from({ length: 12 }, () => engine.addEvent({ capacity: 1 })),
    );
    await Promise.all(eventIds.map((eventId) => buy(eventId, randomUUID(), "k")));
    const rows = await engine.database.query<{ node: string }>({
      text: "SELECT DISTINCT node FROM event_worker WHERE event_id = ANY ($1::uuid[])",
      values: [eventIds],
    });
    assert.equal(rows.length, 2);
  });

  it("sells once for 30 retries of one key at once, and gives each the same tickets", async () => {
    const eventId = await engine.addEvent();
    const userId = randomUUID();
    const purchases = sold(
      await Promise.all(Array.from({ length: 30 }, () => buy(eventId, userId, "one", 2))),
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
    assert.equal((await numbers(eventId)).tickets, 2);
  });

  it("refuses a key used for another quantity, and keeps a refused key free", async () => {
    const eventId = await engine.addEvent({ capacity: 3 });
    const userId = randomUUID();
    await buy(eventId, userId, "k", 2);
    assert.deepEqual(codes([await buy(eventId, userId, "k", 1)]), ["IDEMPOTENCY_KEY_REUSED"]);
    assert.deepEqual(codes([await buy(eventId, userId, "free", 2)]), ["EVENT_SOLD_OUT"]);
    assert.deepEqual(codes([await buy(eventId, userId, "free", 1)]), ["ok"]);
    assert.deepEqual(codes([await buy(eventId, randomUUID(), "k", 1)]), ["EVENT_SOLD_OUT"]);
  });

  it("replays a purchase after the event has sold out and started", async () => {
    const eventId = await engine.addEvent({ capacity: 1, startsInMs: 1_500 });
    const userId = randomUUID();
    const [first] = sold([await buy(eventId, userId, "k")]);
    assert.deepEqual(codes([await buy(eventId, randomUUID(), "k")]), ["EVENT_SOLD_OUT"]);
    await waitFor(async () => codes([await buy(eventId, randomUUID(), "k")])[0] === "EVENT_OVER");
    const [again] = sold([await buy(eventId, userId, "k")]);
    assert.deepEqual([again?.replayed, again?.tickets], [true, first?.tickets]);
  });

  it("holds the limit per customer for parallel purchases, and gives the room back with a cancellation", async () => {
    const eventId = await engine.addEvent();
    const userId = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => buy(eventId, userId, `k${index}`)),
    );
    assert.equal(sold(answers).length, 10);
    assert.deepEqual(codes(answers), ["PURCHASE_LIMIT_REACHED", "ok"]);
    const ticketId = sold(answers)[0]?.tickets[0]?.id ?? assert.fail();
    assert.ok((await call<Ticket>("purchasing.cancel", { eventId, ticketId }, userId)).ok);
    assert.deepEqual(
      codes([await buy(eventId, userId, "again"), await buy(eventId, userId, "too many")]),
      ["PURCHASE_LIMIT_REACHED", "ok"],
    );
  });

  it("frees one place for 20 cancellations of one ticket at once, and answers all of them alike", async () => {
    const eventId = await engine.addEvent({ capacity: 1 });
    const userId = randomUUID();
    const ticketId = sold([await buy(eventId, userId, "k")])[0]?.tickets[0]?.id ?? assert.fail();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        call<Ticket>("purchasing.cancel", { eventId, ticketId }, userId),
      ),
    );
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
    assert.deepEqual(answers[0]?.ok === true && [answers[0].value.id, answers[0].value.status], [
      ticketId,
      "cancelled",
    ]);
    const buyers = await Promise.all(
      Array.from({ length: 5 }, () => buy(eventId, randomUUID(), "k")),
    );
    assert.equal(sold(buyers).length, 1);
    await quiet(eventId);
    assert.deepEqual(await numbers(eventId), { capacity: 0, pending: 0, tickets: 1, booked: -1 });
  });

  it("tells nobody of another's ticket or transaction, not by a word", async () => {
    const eventId = await engine.addEvent();
    const [owner, other] = [randomUUID(), randomUUID()];
    const [purchase] = sold([await buy(eventId, owner, "k")]);
    const ticketId = purchase?.tickets[0]?.id ?? assert.fail();
    const strange = [
      await call("purchasing.cancel", { eventId, ticketId }, other),
      await call("purchasing.tickets.get", { ticketId }, other),
      await call("purchasing.cancel", { eventId, ticketId: randomUUID() }, owner),
      await call("purchasing.cancel", { eventId: randomUUID(), ticketId }, owner),
    ];
    assert.deepEqual(
      strange,
      Array.from({ length: 4 }, () => ({ ok: false, refusal: { code: "TICKET_NOT_FOUND" } })),
    );
    assert.deepEqual(
      codes([
        await call(
          "purchasing.transactions.get",
          { transactionId: purchase?.transactionId },
          other,
        ),
      ]),
      ["TRANSACTION_NOT_FOUND"],
    );
    assert.equal((await numbers(eventId)).tickets, 1);
  });

  it("takes a transaction from pending to completed", async () => {
    const eventId = await engine.addEvent();
    const userId = randomUUID();
    const [purchase] = sold([await buy(eventId, userId, "k", 3)]);
    assert.equal(purchase?.status, "pending");
    const transactionId = purchase.transactionId;
    const transaction = await waitFor(
      async () => {
        const answer = await call<TransactionView>(
          "purchasing.transactions.get",
          { transactionId },
          userId,
        );
        return answer.ok && answer.value.status === "completed" && answer.value;
      },
      { withinMs: 15_000, what: "a completed transaction" },
    );
    assert.deepEqual(transaction, { transactionId, eventId, status: "completed", quantity: -3 });
    assert.equal(sold([await buy(eventId, userId, "k", 3)])[0]?.status, "completed");
  });

  it("lists a person's tickets by event date, in pages without gap or repeat", async () => {
    const userId = randomUUID();
    const eventIds = await Promise.all(
      [40, 20, 30].map((days) => engine.addEvent({ startsInMs: days * 86_400_000 })),
    );
    for (const eventId of eventIds) await buy(eventId, userId, "k", 3);
    const seen: Ticket[] = [];
    let cursor: string | undefined;
    do {
      const page = await call<TicketPage>(
        "purchasing.tickets.list",
        { limit: 2, ...(cursor === undefined ? {} : { cursor }) },
        userId,
      );
      if (!page.ok) assert.fail(page.refusal.code);
      seen.push(...page.value.items);
      cursor = page.value.nextCursor ?? undefined;
    } while (cursor !== undefined);
    assert.equal(new Set(seen.map(({ id }) => id)).size, 9);
    assert.deepEqual(
      seen.map(({ eventDate }) => eventDate),
      seen.map(({ eventDate }) => eventDate).sort(),
    );
    assert.deepEqual(
      codes([await call("purchasing.tickets.list", { cursor: "bm90IG91cnM" }, userId)]),
      ["VALIDATION_ERROR"],
    );
  });

  it("lists what was bought and cancelled as soon as that is answered, on whichever node", async () => {
    const eventId = await engine.addEvent();
    const userId = randomUUID();
    const mint = createInternalTokenMint(engine.config.internalTokenSecret);
    const listed = () =>
      Promise.all(
        sellers().map(async (nodeID) => {
          const meta = { token: mint({ userId, role: "customer" }) };
          const page = await (nodes[1] ?? assert.fail()).broker.call<Answer<TicketPage>, object>(
            "purchasing.tickets.list",
            {},
            { meta, nodeID },
          );
          return page.ok
            ? page.value.items.map(({ id, status }) => `${id} ${status}`)
            : [page.refusal.code];
        }),
      );
    const expected: string[] = [];
    for (let round = 0; round < 5; round++) {
      const [id = ""] = sold([await buy(eventId, userId, `k${round}`)]).flatMap(({ tickets }) =>
        tickets.map((ticket) => ticket.id),
      );
      expected.push(`${id} active`);
      assert.deepEqual(await listed(), [expected, expected]);
      await call("purchasing.cancel", { eventId, ticketId: id }, userId);
      expected.splice(-1, 1, `${id} cancelled`);
      assert.deepEqual(await listed(), [expected, expected]);
    }
  });

  it("passes a command that reached the wrong node on to the owner, once", async () => {
    const eventId = await engine.addEvent({ capacity: 1 });
    await buy(eventId, randomUUID(), "k");
    const mint = createInternalTokenMint(engine.config.internalTokenSecret);
    // Each node gets the command by name: the one that owns the event, and the one that does not.
    const outcomes = await Promise.all(
      sellers().map((nodeID) => {
        const meta = { token: mint({ userId: randomUUID(), role: "customer" }) };
        const params = { eventId, quantity: 1, key: "wrong way" };
        return (nodes[1] ?? assert.fail()).broker.call<Answer<Purchase>, object>(
          "purchasing.buy",
          params,
          { meta, nodeID },
        );
      }),
    );
    assert.equal(outcomes.length, 2);
    assert.deepEqual(codes(outcomes), ["EVENT_SOLD_OUT"]);
    const [row] = await engine.database.query<{ batch: string }>({
      text: "SELECT batch FROM event_worker WHERE event_id = $1",
      values: [eventId],
    });
    // One batch was committed, under one epoch: nobody took the event for a command that only lost its way.
    assert.equal(row?.batch, "1");
  });

  it("sells while all connections for reading are taken, and a long line waits for them", async () => {
    const eventId = await engine.addEvent();
    // The pool that the nodes of this process share.
    const reading = openDatabase(engine.config.databaseUrl ?? "", "sale");
    const reads = Array.from({ length: 40 }, () =>
      reading.query({ text: "SELECT pg_sleep(0.7)" }).catch(() => undefined),
    );
    assert.deepEqual(codes([await buy(eventId, randomUUID(), "k")]), ["ok"]);
    await Promise.all(reads);
    await reading.close();
  });

  it("takes no half a command from another node: one without its quantity would make what is left not a number", async () => {
    const eventId = await engine.addEvent({ capacity: 1 });
    const userId = randomUUID();
    for (const type of ["BuyTickets", "CancelTicket"]) {
      const command = { type, transactionId: "0".repeat(128), userId };
      assert.deepEqual(codes([await call("purchasing.serve", { eventId, command }, userId)]), [
        "VALIDATION_ERROR",
      ]);
    }
    const buyers = await Promise.all(
      Array.from({ length: 3 }, () => buy(eventId, randomUUID(), "k")),
    );
    assert.equal(sold(buyers).length, 1);
  });

  it("does not find an event that is not there", async () => {
    assert.deepEqual(codes([await buy(randomUUID(), randomUUID(), "k")]), ["EVENT_NOT_FOUND"]);
  });
});
