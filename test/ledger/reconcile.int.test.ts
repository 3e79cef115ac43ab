import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { readAvailable } from "../../lib/availability/availability-cache.ts";
import { checkAvailableCopies } from "../../services/ledger/reconcile/check-availability-cache.ts";
import { openReconcileWorld, type ReconcileWorld } from "../support/fixtures/reconcile-fixture.ts";
import { waitFor } from "../support/wait-for.ts";

describe("reconcile compares what must agree, and mends copies only", () => {
  let world: ReconcileWorld;
  before(async () => {
    world = await openReconcileWorld(8);
  });
  after(() => world.close());

  const livelyEvent = (): Promise<string> => world.livelyEvent("waits");
  const sabotage: ReconcileWorld["sabotage"] = (...sql) => world.sabotage(...sql);
  const differences = async (eventId: string, mend = true) => {
    const answer = await world.ledger.reconcile({ eventId, mend });
    assert.ok(answer.ok);
    return answer.value.differences.map(({ kind, expected, found, mended }) => ({
      kind,
      expected,
      found,
      mended,
    }));
  };
  const copyKey = (eventId: string): string => `event:{${eventId}}:available`;
  const putCopy = (
    eventId: string,
    copy: { available: number; epoch: number; batch: number; run?: string },
  ): Promise<unknown> =>
    world.redis.set(
      copyKey(eventId),
      JSON.stringify({ run: world.redis.runId(), ...copy }),
      "EX",
      60,
    );

  it("finds nothing in a sound event, and refuses an unknown event", async () => {
    const eventId = await livelyEvent();
    await putCopy(eventId, { available: 15, epoch: 1, batch: 3 });
    const answer = await world.ledger.reconcile();
    assert.deepEqual(answer, {
      ok: true,
      value: { events: 1, differences: [], more: 0, copiesCompared: true },
    });
    assert.deepEqual(await world.ledger.reconcile({ eventId: randomUUID() }), {
      ok: false,
      refusal: { code: "EVENT_NOT_FOUND" },
    });
  });

  it("finds a capacity that was changed by hand, and leaves it", async () => {
    const eventId = await livelyEvent();
    await sabotage("UPDATE event SET capacity = capacity + 1 WHERE id = $1", eventId);
    const expected = [{ kind: "capacity", expected: 15, found: 16, mended: false }];
    assert.deepEqual(await differences(eventId), expected);
    assert.deepEqual(await differences(eventId), expected);
  });

  it("finds a pending row that was lost", async () => {
    const eventId = await livelyEvent();
    await sabotage(
      "DELETE FROM event_ticket_transactions WHERE event_id = $1 AND quantity < 0",
      eventId,
    );
    assert.deepEqual(await differences(eventId), [
      { kind: "capacity", expected: 15, found: 16, mended: false },
      { kind: "ledger", expected: -5, found: -4, mended: false },
    ]);
  });

  it("finds a ticket that was lost, by the number of the next", async () => {
    const eventId = await livelyEvent();
    await sabotage(
      `DELETE FROM event_tickets WHERE id = (SELECT id FROM event_tickets WHERE event_id = $1 AND ordinal = 1
          AND transaction_id IN (SELECT transaction_id FROM event_tickets WHERE event_id = $1
            GROUP BY transaction_id HAVING count(*) = 2))`,
      eventId,
    );
    const found = await differences(eventId);
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ["available", "capacity", "ledger", "ordinals"],
    );
  });

  it("finds a row booked twice over, once in the ledger and once pending", async () => {
    const eventId = await livelyEvent();
    await sabotage(
      `INSERT INTO capacity_ledger SELECT transaction_id, event_id, user_id, quantity, now()
       FROM event_ticket_transactions WHERE event_id = $1 AND quantity < 0`,
      eventId,
    );
    assert.deepEqual(await differences(eventId), [
      { kind: "ledger", expected: -5, found: -6, mended: false },
      { kind: "transaction", expected: 2, found: 1, mended: false },
      { kind: "booked-twice", expected: 0, found: 1, mended: false },
    ]);
  });

  it("finds two mistakes that cancel out in the sums", async () => {
    const eventId = await livelyEvent();
    await sabotage(
      `UPDATE event_tickets SET transaction_id = decode(repeat('ab', 64), 'hex'), ordinal = 9
       WHERE id = (SELECT id FROM event_tickets WHERE event_id = $1 AND ordinal = 1
          AND transaction_id IN (SELECT transaction_id FROM event_tickets WHERE event_id = $1
            GROUP BY transaction_id HAVING count(*) = 2))`,
      eventId,
    );
    assert.deepEqual(
      (await differences(eventId)).map(({ kind }) => kind),
      ["ordinals", "ordinals"],
    );
  });

  it("counts failed rows, which are no other difference", async () => {
    const eventId = await livelyEvent();
    await sabotage(
      "UPDATE event_ticket_transactions SET status = 'failed' WHERE event_id = $1",
      eventId,
    );
    assert.deepEqual(await differences(eventId), [
      { kind: "failed-rows", expected: 0, found: 2, mended: false },
    ]);
  });

  it("repairs a wrong copy, keeps its time to live, and only reports when asked to", async () => {
    const eventId = await livelyEvent();
    await putCopy(eventId, { available: 99, epoch: 1, batch: 3 });
    const wrong = { kind: "available-copy", expected: 15, found: 99 };
    assert.deepEqual(await differences(eventId, false), [{ ...wrong, mended: false }]);
    assert.deepEqual(await differences(eventId), [{ ...wrong, mended: true }]);
    assert.deepEqual(await differences(eventId), []);
    const text = await world.redis.get(copyKey(eventId));
    assert.deepEqual(JSON.parse(text ?? ""), {
      available: 15,
      epoch: 1,
      batch: 3,
      run: world.redis.runId(),
    });
    assert.ok((await world.redis.ttl(copyKey(eventId))) > 0);
  });

  it("repairs a stale copy, and ignores copies that no reader trusts", async () => {
    const eventId = await livelyEvent();
    await putCopy(eventId, { available: 18, epoch: 1, batch: 2 });
    assert.deepEqual(await differences(eventId), [
      { kind: "available-copy", expected: 15, found: 18, mended: true },
    ]);
    await putCopy(eventId, { available: 7, epoch: 1, batch: 3, run: "another" });
    assert.deepEqual(await differences(eventId), []);
    await world.redis.set(copyKey(eventId), "rubbish");
    assert.deepEqual(await differences(eventId), []);
  });

  it("repairs a copy from before a restored backup, and keeps a newer one", async () => {
    const eventId = await livelyEvent();
    // No sale would correct it: customers do not try to buy from a sold-out event.
    for (const copy of [
      { available: 0, epoch: 1, batch: 4 },
      { available: 0, epoch: 2, batch: 0 },
    ]) {
      await putCopy(eventId, copy);
      assert.deepEqual(await differences(eventId), [
        { kind: "available-copy", expected: 15, found: 0, mended: true },
      ]);
      assert.deepEqual(await differences(eventId), []);
    }

    const run = world.redis.runId() ?? assert.fail("Redis is away");
    const check = (available: number, batch: number) =>
      checkAvailableCopies(world.redis, [{ eventId, available: 20, epoch: 1, batch: 2 }], {
        mend: true,
        readNow: async () => [{ eventId, available, epoch: 1, batch }],
      });
    for (const [available, batch] of [
      [15, 3],
      [13, 4],
    ] as const) {
      await putCopy(eventId, { available: 15, epoch: 1, batch: 3 });
      assert.deepEqual(await check(available, batch), []);
      assert.equal(readAvailable(await world.redis.get(copyKey(eventId)), run), 15);
    }
  });

  it("finds no discrepancy while a sale runs, is booked, and its copies lag behind", async () => {
    const eventId = await world.addEvent(100_000);
    let selling = true;
    let copies = 0;
    const sale = (async () => {
      while (selling) {
        const [first] = await world.sell(eventId, [1, 2]);
        if (first !== undefined) await world.cancelOne(eventId, first);
        world.tell(eventId, []);
        const [copy] = await world.database.query<{
          available: number;
          epoch: number;
          batch: number;
        }>({
          text: `
            SELECT epoch::float8 AS epoch, batch::float8 AS batch, capacity + coalesce((
              SELECT sum(quantity) FROM event_ticket_transactions WHERE event_id = $1
            ), 0)::integer AS available
            FROM event JOIN event_worker ON event_id = id WHERE id = $1`,
          values: [eventId],
        });
        await wait(20);
        if (copy !== undefined) await putCopy(eventId, copy);
        copies += 1;
      }
    })();
    try {
      for (let round = 1; round <= 6; round += 1) {
        await waitFor(() => copies >= round * 2);
        assert.deepEqual(await differences(eventId), []);
      }
    } finally {
      selling = false;
      await sale;
    }
    await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    assert.deepEqual(await differences(eventId), []);
  });
});
