// Reads tickets and transactions on two nodes, during and after purchases.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Ticket } from "../../services/purchasing/worker/ports.ts";
import type { TicketPage } from "../../services/purchasing/tickets/ticket-cursor.ts";
import type { TransactionView } from "../../services/purchasing/tickets/ticket-queries.ts";
import { waitFor } from "../support/wait-for.ts";
import { codes, sold, startTwoNodes, type TwoNodes } from "./two-nodes.ts";

describe("purchased tickets on two nodes", () => {
  let world: TwoNodes;
  before(async () => (world = await startTwoNodes()));
  after(() => world.engine.close());

  it("answers NOT_FOUND for tickets and transactions of other customers", async () => {
    const eventId = await world.engine.addEvent();
    const [owner, other] = [randomUUID(), randomUUID()];
    const [purchase] = sold([await world.buy(eventId, owner, "k")]);
    const ticketId = purchase?.tickets[0]?.id ?? assert.fail();
    const foreign = [
      await world.call("purchasing.cancel", { eventId, ticketId }, other),
      await world.call("purchasing.tickets.get", { ticketId }, other),
      await world.call("purchasing.cancel", { eventId, ticketId: randomUUID() }, owner),
      await world.call("purchasing.cancel", { eventId: randomUUID(), ticketId }, owner),
    ];
    assert.deepEqual(
      foreign,
      Array.from({ length: 4 }, () => ({ ok: false, refusal: { code: "TICKET_NOT_FOUND" } })),
    );
    assert.deepEqual(
      codes([
        await world.call(
          "purchasing.transactions.get",
          { transactionId: purchase?.transactionId },
          other,
        ),
      ]),
      ["TRANSACTION_NOT_FOUND"],
    );
    assert.equal((await world.numbers(eventId)).tickets, 1);
  });

  it("takes a transaction from pending to completed", async () => {
    const eventId = await world.engine.addEvent();
    const userId = randomUUID();
    const [purchase] = sold([await world.buy(eventId, userId, "k", 3)]);
    assert.equal(purchase?.status, "pending");
    const transactionId = purchase.transactionId;
    const transaction = await waitFor(
      async () => {
        const answer = await world.call<TransactionView>(
          "purchasing.transactions.get",
          { transactionId },
          userId,
        );
        return answer.ok && answer.value.status === "completed" && answer.value;
      },
      { withinMs: 15_000, what: "a completed transaction" },
    );
    assert.deepEqual(transaction, { transactionId, eventId, status: "completed", quantity: -3 });
    assert.equal(sold([await world.buy(eventId, userId, "k", 3)])[0]?.status, "completed");
  });

  it("lists a customer's tickets by event date, in pages without gap or repeat", async () => {
    const userId = randomUUID();
    const eventIds = await Promise.all(
      [40, 20, 30].map((days) => world.engine.addEvent({ startsInMs: days * 86_400_000 })),
    );
    for (const eventId of eventIds) await world.buy(eventId, userId, "k", 3);
    const seen: Ticket[] = [];
    let cursor: string | undefined;
    do {
      const page = await world.call<TicketPage>(
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
      codes([await world.call("purchasing.tickets.list", { cursor: "bm90IG91cnM" }, userId)]),
      ["VALIDATION_ERROR"],
    );
  });

  it("lists a purchase or cancellation directly after its answer, on both nodes", async () => {
    const eventId = await world.engine.addEvent();
    const userId = randomUUID();
    const listed = () =>
      Promise.all(
        world.sellers().map(async (nodeID) => {
          const page = await world.call<TicketPage>("purchasing.tickets.list", {}, userId, nodeID);
          return page.ok
            ? page.value.items.map(({ id, status }) => `${id} ${status}`)
            : [page.refusal.code];
        }),
      );
    const expected: string[] = [];
    for (let round = 0; round < 5; round++) {
      const [id = ""] = sold([await world.buy(eventId, userId, `k${round}`)]).flatMap(
        ({ tickets }) => tickets.map((ticket) => ticket.id),
      );
      expected.push(`${id} active`);
      assert.deepEqual(await listed(), [expected, expected]);
      await world.call("purchasing.cancel", { eventId, ticketId: id }, userId);
      expected.splice(-1, 1, `${id} cancelled`);
      assert.deepEqual(await listed(), [expected, expected]);
    }
  });
});
