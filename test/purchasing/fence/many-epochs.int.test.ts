// Takes and reads several events in one statement on PostgreSQL. Each event keeps its own lock.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Database } from "../../../lib/database/pool.ts";
import { createBatchedEventStore } from "../../../services/purchasing/store/batched-event-store.ts";
import { postgresManyEvents } from "../../../services/purchasing/store/many-events.ts";
import type { EventStore } from "../../../services/purchasing/worker/ports.ts";
import { openSaleWorld, type SaleWorld, saleOf } from "../../support/fixtures/sale-fixture.ts";

const EVENTS = 8;

describe("epochs of many events", () => {
  let world: SaleWorld;
  before(async () => (world = await openSaleWorld()));
  after(() => world.close());

  const nodeWith = (node: string, change: Partial<Database> = {}): EventStore =>
    createBatchedEventStore(
      world.store(node),
      postgresManyEvents({ ...world.database, ...change }, node),
    );
  const addEvents = (): Promise<string[]> =>
    Promise.all(Array.from({ length: EVENTS }, () => world.addEvent(10)));
  const takeEach = (store: EventStore, events: readonly string[]) =>
    Promise.all(events.map((eventId) => store.takeEpoch(eventId)));
  const rowsOf = (events: readonly string[]) =>
    world.database.query<{ id: string; epoch: number; node: string; available: number }>({
      text: `SELECT event_id AS id, epoch::float8 AS epoch, node, available FROM event_worker
        WHERE event_id = ANY ($1::uuid[])`,
      values: [events],
    });

  it("are taken in one statement: first epochs and later ones", async () => {
    const events = await addEvents();
    const known = events.slice(0, EVENTS / 2);
    const earlier = await takeEach(nodeWith("earlier"), known);
    let statements = 0;
    const store = nodeWith("one", {
      query: (statement) => {
        statements += 1;
        return world.database.query(statement);
      },
    });
    const epochs = await takeEach(store, events);
    assert.equal(statements, 1);
    for (const [index, epoch] of earlier.entries())
      assert.ok((epochs[index] ?? 0) > (epoch ?? Infinity), "epochs grow");
    const rows = new Map((await rowsOf(events)).map((row) => [row.id, row]));
    for (const [index, id] of events.entries())
      assert.deepEqual(rows.get(id), { id, epoch: epochs[index], node: "one", available: 10 });
    assert.equal(await store.takeEpoch(randomUUID()), undefined, "there is no such event");
  });

  it("are different for two askers of one event", async () => {
    const store = nodeWith("one");
    const eventId = await world.addEvent(10);
    const epochs = await takeEach(store, [eventId, eventId, eventId]);
    assert.equal(new Set(epochs).size, 3, epochs.join());
  });

  it("of the others do not wait while one event's row is locked", async () => {
    const events = await addEvents();
    await takeEach(nodeWith("earlier"), events);
    const [locked = "", ...others] = events;
    const store = nodeWith("one");
    let waiting: Promise<number | undefined> | undefined;
    const free = await world.database.transaction(async (connection) => {
      await connection.query({
        text: "UPDATE event_worker SET available = available - 1 WHERE event_id = $1",
        values: [locked],
      });
      waiting = store.takeEpoch(locked);
      return takeEach(store, others);
    });
    assert.ok(free.every((epoch) => epoch !== undefined));
    assert.ok((await waiting) !== undefined);
    const [row] = await rowsOf([locked]);
    assert.deepEqual([row?.node, row?.available], ["one", 9], "it has what was committed before");
  });

  it("are taken by two nodes at once without a deadlock, each epoch once", async () => {
    for (let round = 0; round < 10; round += 1) {
      const events = await addEvents();
      const [one, two] = await Promise.all([
        takeEach(nodeWith("one"), events),
        takeEach(nodeWith("two"), events.toReversed()),
      ]);
      const rows = new Map((await rowsOf(events)).map((row) => [row.id, row]));
      for (const [index, id] of events.entries()) {
        const [ours = 0, theirs = 0] = [one?.[index], two?.at(-1 - index)];
        assert.notEqual(ours, theirs);
        const winner =
          ours > theirs ? { epoch: ours, node: "one" } : { epoch: theirs, node: "two" };
        assert.deepEqual(rows.get(id), { id, available: 10, ...winner });
      }
    }
  });

  it("of events of an earlier release come with what is left to sell", async () => {
    const events = await addEvents();
    await takeEach(nodeWith("earlier"), events);
    await world.database.query({
      text: `UPDATE event_worker SET available = NULL, available_epoch = 0
        WHERE event_id = ANY ($1::uuid[])`,
      values: [events],
    });
    const store = nodeWith("one");
    await takeEach(store, events);
    const loaded = await Promise.all(events.map((eventId) => store.loadEvent(eventId)));
    assert.deepEqual(new Set(loaded.map(({ available }) => available)), new Set([10]));
  });

  it("have their sales looked up in one statement, each event its own", async () => {
    let statements = 0;
    const store = nodeWith("one", {
      query: (statement) => {
        statements += 1;
        return world.database.query(statement);
      },
    });
    const events = await addEvents();
    const epochs = await takeEach(store, events);
    const sales = await Promise.all(
      events.map(async (eventId, index) => {
        const sale = saleOf(await store.loadEvent(eventId), 2);
        await store.commit({ eventId, epoch: epochs[index] ?? 0, batch: 0 }, sale);
        return sale.sold;
      }),
    );
    statements = 0;
    const found = await Promise.all(
      events.map((eventId, index) => store.readPurchases(eventId, sales[index] ?? [])),
    );
    assert.equal(statements, 1);
    for (const [index, purchases] of found.entries()) {
      const [sold] = sales[index] ?? [];
      assert.deepEqual([...purchases.keys()], [sold?.transactionId]);
      const [purchase] = purchases.values();
      assert.deepEqual(
        [purchase?.eventId, purchase?.tickets.map(({ id }) => id)],
        [events[index], sold?.ticketIds],
      );
    }
    const [first = [], second = ""] = [sales[0], events[1]];
    assert.equal((await store.readPurchases(second, first)).size, 0, "of another event");
  });

  it("have their events and first buyers read in one statement each", async () => {
    const [plain, store] = [world.store("one"), nodeWith("one")];
    const events = await addEvents();
    const epochs = await takeEach(store, events);
    for (const [index, eventId] of events.entries()) {
      const event = await plain.loadEvent(eventId);
      for (let batch = 0; batch < index; batch += 1)
        await plain.commit({ eventId, epoch: epochs[index] ?? 0, batch }, saleOf(event, 1));
    }
    const [loaded, buyers] = await Promise.all([
      Promise.all(events.map((eventId) => store.loadEvent(eventId))),
      Promise.all(events.map((eventId) => store.readBuyers(eventId, "", 3))),
    ]);
    for (const [index, eventId] of events.entries()) {
      const { clockMs, ...event } = await plain.loadEvent(eventId);
      assert.deepEqual({ ...loaded[index], clockMs }, { ...event, clockMs });
      assert.equal(event.available, 10 - index);
      assert.deepEqual(buyers[index], await plain.readBuyers(eventId, "", 3));
      assert.equal(buyers[index]?.length, Math.min(index, 3));
    }
    await assert.rejects(store.loadEvent(randomUUID()), /is gone/);
  });
});
