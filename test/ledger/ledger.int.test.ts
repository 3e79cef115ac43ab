import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import {
  applyEvents,
  quarantinePending,
} from "../../services/ledger/booking/transaction-consumer.ts";
import {
  availableKey,
  readAvailable,
  writeAvailability,
} from "../../lib/availability/availability-cache.ts";
import { inspectTopology } from "../../lib/queue/topology.ts";
import {
  type Ledger,
  type LedgerWorld,
  openLedgerWorld,
} from "../support/fixtures/ledger-fixture.ts";
import { waitFor } from "../support/wait-for.ts";

describe("the ledger books each committed transaction exactly once", () => {
  let world: LedgerWorld;
  let ledger: Ledger | undefined;
  before(async () => {
    world = await openLedgerWorld();
  });
  afterEach(async () => {
    await ledger?.stop();
    ledger = undefined;
  });
  after(() => world.close());

  const quiet = (): Promise<unknown> =>
    waitFor(async () => (await inspectTopology(world.channel, world.topology)).ready === 0);

  it("moves a batch's sum into the capacity and its rows into the ledger", async () => {
    const eventId = await world.addEvent(100);
    const sales = await world.sell(eventId, [2, 3, 1]);
    const ids = sales.map(({ transactionId }) => transactionId);
    ledger = await world.startLedger();
    world.tell(eventId, ids);
    await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 94,
      pending: 0,
      failed: 0,
      booked: -6,
      bookedRows: 3,
    });
    const status = await ledger.status();
    assert.equal(status.appliedRows, 3);
    assert.equal(status.pendingRows, 0);
  });

  it("is unchanged by duplicates, reordering or a cancellation before its purchase", async () => {
    const eventId = await world.addEvent(10);
    const [sale] = await world.sell(eventId, [4]);
    assert.ok(sale);
    const cancellation = await world.cancelOne(eventId, sale);
    for (const ids of [
      [cancellation],
      [sale.transactionId],
      [cancellation],
      [sale.transactionId],
      [],
    ])
      world.tell(eventId, ids);
    ledger = await world.startLedger();
    await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    for (let index = 0; index < 20; index += 1) world.tell(eventId, [sale.transactionId]);
    await quiet();
    const later = await world.sell(eventId, [1]);
    world.tell(eventId, [later[0]?.transactionId ?? ""]);
    await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 6,
      pending: 0,
      failed: 0,
      booked: -4,
      bookedRows: 3,
    });
  });

  it("books many events in one call, and two concurrent ledgers book nothing twice", async () => {
    const events = await Promise.all(Array.from({ length: 20 }, () => world.addEvent(50)));
    ledger = await world.startLedger();
    const second = await world.startLedger();
    for (let round = 0; round < 10; round += 1) {
      for (const eventId of events) {
        const sales = await world.sell(eventId, [1, 2]);
        world.tell(
          eventId,
          sales.map(({ transactionId }) => transactionId),
        );
      }
    }
    for (const eventId of events) {
      await waitFor(async () => (await world.numbers(eventId)).pending === 0);
      assert.deepEqual(await world.numbers(eventId), {
        capacity: 20,
        pending: 0,
        failed: 0,
        booked: -30,
        bookedRows: 20,
      });
    }
    await second.stop();
  });

  it("finds unpublished rows, also those of a node that died", async () => {
    const [forgotten, fresh] = [await world.addEvent(10), await world.addEvent(10)];
    const future = await world.addEvent(10);
    await world.sell(forgotten, [3], { ageMs: 10_000 });
    // PostgreSQL's clock was an hour ahead for a while.
    await world.sell(future, [3], { ageMs: -3_600_000 });
    await world.sell(fresh, [3]);
    ledger = await world.startLedger({ sweep: { everyMs: 50, olderThanMs: 5_000 } });
    for (const eventId of [forgotten, future])
      await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    assert.equal((await world.numbers(forgotten)).capacity, 7);
    assert.equal(
      (await world.numbers(fresh)).pending,
      1,
      "a young row still waits for its message",
    );
    await waitFor(async () => (await world.numbers(fresh)).pending === 0, { withinMs: 8_000 });
  });

  it("writes the availability that a dead worker did not, and keeps a newer copy", async () => {
    const [left, newer] = [await world.addEvent(10), await world.addEvent(10)];
    const run = world.redis.runId() ?? assert.fail("Redis is away");
    const endsAtMs = Date.now();
    await writeAvailability(world.redis, [
      { eventId: left, available: 10, epoch: 1, batch: 0, endsAtMs },
      { eventId: newer, available: 5, epoch: 2, batch: 0, endsAtMs },
    ]);
    for (const eventId of [left, newer]) await world.sell(eventId, [3], { ageMs: 10_000 });
    ledger = await world.startLedger({ sweep: { everyMs: 50, olderThanMs: 5_000 } });
    const copied = async (eventId: string) =>
      readAvailable(await world.redis.get(availableKey(eventId)), run);
    await waitFor(async () => (await copied(left)) === 7);
    await waitFor(async () => (await world.numbers(newer)).pending === 0);
    assert.equal(await copied(newer), 5);
  });

  it("books a backlog in prefixes of whole batches, which never breaks the CHECK", async () => {
    const eventId = await world.addEvent(6);
    // Ten rounds of sold out and all given back.
    // The same rows without their beginning would make twelve of the six places.
    for (let round = 0; round < 10; round += 1) {
      const sales = await world.sell(eventId, [1, 1, 1, 1, 1, 1]);
      for (const sale of sales) await world.cancelOne(eventId, sale);
    }
    const outcome = await applyEvents(world.database, [eventId], 7);
    assert.deepEqual(outcome, { rows: 120, broken: new Map() });
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 6,
      pending: 0,
      failed: 0,
      booked: 0,
      bookedRows: 120,
    });
  });

  it("books all rows in one step where older quarantined rows came back", async () => {
    const eventId = await world.addEvent(3);
    const [first] = await world.sell(eventId, [1, 1, 1]);
    await world.cancelOne(eventId, first ?? assert.fail("nothing was sold"));
    assert.equal(await quarantinePending(world.database, eventId), 4);
    await world.sell(eventId, [1]);
    assert.equal((await applyEvents(world.database, [eventId])).rows, 1);
    const text = "UPDATE event_ticket_transactions SET status = 'pending' WHERE event_id = $1";
    await world.database.query({ text, values: [eventId] });
    // The first batch takes three places, but two are left until its cancellation is booked too.
    assert.deepEqual(await applyEvents(world.database, [eventId], 2), {
      rows: 4,
      broken: new Map(),
    });
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 0,
      pending: 0,
      failed: 0,
      booked: -3,
      bookedRows: 5,
    });
  });

  it("marks the rows of a broken event failed at the last delivery, and books others", async () => {
    const [broken, sound] = [await world.addEvent(10), await world.addEvent(10)];
    const [first] = await world.sell(broken, [5]);
    const [other] = await world.sell(sound, [5]);
    // An operator's mistake: the capacity is below what was sold.
    await world.database.query({
      text: "UPDATE event SET capacity = 4 WHERE id = $1",
      values: [broken],
    });
    world.tell(broken, [first?.transactionId ?? ""]);
    world.tell(sound, [other?.transactionId ?? ""]);
    ledger = await world.startLedger();
    await waitFor(async () => (await world.numbers(sound)).pending === 0);
    await waitFor(async () => (await world.numbers(broken)).failed === 1);
    assert.deepEqual(await world.numbers(broken), {
      capacity: 4,
      pending: 0,
      failed: 1,
      booked: 0,
      bookedRows: 0,
    });
    assert.deepEqual(await world.numbers(sound), {
      capacity: 5,
      pending: 0,
      failed: 0,
      booked: -5,
      bookedRows: 1,
    });
    await waitFor(async () => (await inspectTopology(world.channel, world.topology)).dead === 1);
    assert.equal((await ledger.status()).failedRows, 1);

    // After a repair and set to pending again, it is booked like any other.
    await world.database.query({
      text: "UPDATE event SET capacity = 10 WHERE id = $1",
      values: [broken],
    });
    await world.database.query({
      text: "UPDATE event_ticket_transactions SET status = 'pending' WHERE event_id = $1",
      values: [broken],
    });
    world.tell(broken, []);
    await waitFor(async () => (await world.numbers(broken)).capacity === 5);
    await world.channel.purgeQueue(world.topology.deadQueue);
  });

  it("puts an unreadable message aside while others flow", async () => {
    const eventId = await world.addEvent(10);
    const [sale] = await world.sell(eventId, [1]);
    ledger = await world.startLedger();
    world.channel.sendToQueue(world.topology.queue, Buffer.from("poison"), { persistent: true });
    world.tell(eventId, [sale?.transactionId ?? ""]);
    world.tell(randomUUID(), []);
    await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    await waitFor(async () => (await inspectTopology(world.channel, world.topology)).dead === 1);
    await quiet();
    await world.channel.purgeQueue(world.topology.deadQueue);
  });
});
