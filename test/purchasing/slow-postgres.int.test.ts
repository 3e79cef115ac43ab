// PostgreSQL is slow: for all rows, or for one event only.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { createBatchedEventStore } from "../../services/purchasing/store/batched-event-store.ts";
import { postgresManyEvents } from "../../services/purchasing/store/many-events.ts";
import type { EventWorker } from "../../services/purchasing/worker/event-worker.ts";
import {
  newTransactionId,
  openSaleWorld,
  type SaleWorld,
} from "../support/fixtures/sale-fixture.ts";

const ROW_SECONDS = 0.001;

describe("while PostgreSQL is slow", () => {
  let world: SaleWorld;
  before(async () => (world = await openSaleWorld()));
  after(() => world.close());
  afterEach(() => world.database.query({ text: "DROP TRIGGER slow ON event_tickets" }));

  /** Makes each ticket take a millisecond: of one event, or of all. */
  const slowDown = async (eventId?: string): Promise<void> => {
    await world.database.query({
      text: `CREATE OR REPLACE FUNCTION slow_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(${ROW_SECONDS}); RETURN NEW; END $$`,
    });
    const only = eventId === undefined ? "" : `WHEN (NEW.event_id = '${eventId}')`;
    await world.database.query({
      text: `CREATE TRIGGER slow BEFORE INSERT ON event_tickets
        FOR EACH ROW ${only} EXECUTE FUNCTION slow_row()`,
    });
  };

  /** Buys, and repeats TRY_AGAIN with the same key. Returns the codes before the sale. */
  const buy = async (worker: EventWorker, quantity: number): Promise<string[]> => {
    const command = {
      type: "BuyTickets",
      transactionId: newTransactionId(),
      userId: randomUUID(),
      quantity,
    } as const;
    const codes: string[] = [];
    for (;;) {
      const outcome = await worker.submit(command, false);
      if (outcome.ok) return codes;
      codes.push(outcome.refusal.code);
      if (outcome.refusal.code !== "TRY_AGAIN") return codes;
    }
  };

  for (const quantity of [10, 4])
    it(`sells 20 orders of ${quantity} a second or more, none of unknown outcome`, async () => {
      const buyers = 300;
      const eventId = await world.addEvent(buyers * quantity);
      await slowDown();
      const worker = world.worker(eventId, world.store("node"));
      const beganMs = performance.now();
      const codes = await Promise.all(Array.from({ length: buyers }, () => buy(worker, quantity)));
      const rate = buyers / ((performance.now() - beganMs) / 1_000);
      await worker.stop();
      assert.deepEqual(
        [...new Set(codes.flat())].filter((code) => code !== "TRY_AGAIN"),
        [],
      );
      assert.equal((await world.numbers(eventId)).active, buyers * quantity);
      assert.ok(rate >= 20, `${rate.toFixed(1)} orders a second`);
    });

  it("keeps other events of the node selling, none of their buyers refused", async (t) => {
    const slow = await world.addEvent(10_000);
    await slowDown(slow);
    const store = createBatchedEventStore(
      world.store("node"),
      postgresManyEvents(world.database, "node"),
    );
    const crowd = world.worker(slow, store);
    let over = false;
    const pressing = Array.from({ length: 100 }, async () => {
      while (!over) await buy(crowd, 10);
    });
    const quiet = await Promise.all(Array.from({ length: 30 }, () => world.addEvent(1_000)));
    const waits: number[] = [];
    const refused: string[] = [];
    await Promise.all(
      quiet.map(async (eventId) => {
        const worker = world.worker(eventId, store);
        for (let count = 0; count < 40; count += 1) {
          const askedMs = performance.now();
          refused.push(...(await buy(worker, 1)));
          // The first takes the epoch, which all thirty do at once here.
          if (count > 0) waits.push(performance.now() - askedMs);
        }
        await worker.stop();
      }),
    );
    over = true;
    await Promise.all(pressing);
    await crowd.stop();
    waits.sort((one, other) => one - other);
    const p99 = waits[Math.floor(waits.length * 0.99)] ?? Infinity;
    t.diagnostic(`p99 of quiet events: ${p99.toFixed(0)} ms`);
    assert.deepEqual(refused, []);
    assert.ok(p99 < 600, `p99 ${p99.toFixed(0)} ms`);
  });
});
