// Sells for several events in one statement on PostgreSQL. Each event keeps its own fence and lock.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Database } from "../../../lib/database/pool.ts";
import { createBatchedEventStore } from "../../../services/purchasing/store/batched-event-store.ts";
import { postgresManyEvents } from "../../../services/purchasing/store/many-events.ts";
import type {
  EventStore,
  LoadedEvent,
  WorkerNote,
} from "../../../services/purchasing/worker/ports.ts";
import {
  newTransactionId,
  openSaleWorld,
  type SaleWorld,
  saleOf,
} from "../../support/fixtures/sale-fixture.ts";
import { MANY_WITHOUT_FENCE, NO_FENCE } from "../../support/fixtures/without-fence.ts";
import { waitFor } from "../../support/wait-for.ts";

const EVENTS = 6;

type Taken = { eventId: string; epoch: number; event: LoadedEvent };

describe("the batched event store", () => {
  let world: SaleWorld;
  before(async () => (world = await openSaleWorld()));
  after(() => world.close());

  /** Counts the statements for several events. */
  const countingStore = (
    node = "node",
    change: Partial<Database> = {},
  ): { store: EventStore; sharedStatements: () => number } => {
    let sharedStatements = 0;
    const database: Database = {
      ...world.database,
      query: (statement) => world.database.query(statement),
      withConnection: (work) => {
        sharedStatements += 1;
        return world.database.withConnection(work);
      },
      ...change,
    };
    return {
      store: createBatchedEventStore(world.store(node), postgresManyEvents(database, node)),
      sharedStatements: () => sharedStatements,
    };
  };
  const take = (store: EventStore, total = 10): Promise<Taken[]> =>
    Promise.all(
      Array.from({ length: EVENTS }, async () => {
        const eventId = await world.addEvent(total);
        const epoch = (await store.takeEpoch(eventId)) ?? assert.fail("unknown event");
        return { eventId, epoch, event: await store.loadEvent(eventId) };
      }),
    );
  /** The first commit goes alone. The others share a statement while it runs. */
  const sellEach = (store: EventStore, events: readonly Taken[], quantity = 1, batch = 0) =>
    Promise.all(
      events.map(({ eventId, epoch, event }) =>
        store.commit({ eventId, epoch, batch }, saleOf(event, quantity)),
      ),
    );
  const sold = async (events: readonly Taken[]): Promise<number[]> =>
    Promise.all(events.map(async ({ eventId }) => (await world.numbers(eventId)).active));

  it("sells and cancels for each event, and continues from the event's own batch", async () => {
    const { store, sharedStatements: sharedStatements } = countingStore();
    const events = await take(store);
    const sales = events.map(({ event }) => saleOf(event, 3));
    const first = await Promise.all(
      events.map(({ eventId, epoch }, index) =>
        store.commit({ eventId, epoch, batch: 0 }, sales[index] ?? assert.fail()),
      ),
    );
    assert.ok(sharedStatements() < EVENTS, "several events share a statement");
    assert.deepEqual(
      first.map((result) => result.type === "committed" && result.batch),
      events.map(() => 1),
    );
    const second = await Promise.all(
      events.map(({ eventId, epoch, event }, index) => {
        const { userId = "", ticketIds = [] } = sales[index]?.sold[0] ?? {};
        const cancelled = [
          { transactionId: newTransactionId(), userId, ticketId: ticketIds[1] ?? "" },
        ];
        return store.commit(
          { eventId, epoch, batch: 1 },
          { ...saleOf(event, index + 1), cancelled },
        );
      }),
    );
    second.forEach((result, index) => {
      assert.ok(result.type === "committed");
      const [ticket] = result.cancelled;
      assert.deepEqual(
        [ticket?.id, ticket?.eventId, ticket?.status, ticket?.transactionId],
        [
          sales[index]?.sold[0]?.ticketIds[1],
          events[index]?.eventId,
          "cancelled",
          sales[index]?.sold[0]?.transactionId,
        ],
      );
    });
    for (const [index, { eventId, epoch }] of events.entries())
      assert.deepEqual(await world.numbers(eventId), {
        active: 3 + index,
        sum: -3 - index,
        rows: 3,
        epoch,
      });
  });

  it("loads for each event only its own rows", async () => {
    const { store } = countingStore();
    const events = await take(store);
    const userId = randomUUID();
    const sales = events.map(({ event }, index) => ({
      ...saleOf(event, index + 1),
      sold: [
        { ...saleOf(event, index + 1).sold[0], userId, transactionId: newTransactionId() } as never,
      ],
    }));
    await Promise.all(
      events.map(({ eventId, epoch }, index) =>
        store.commit({ eventId, epoch, batch: 0 }, sales[index] ?? assert.fail()),
      ),
    );
    const idsOf = (index: number) =>
      (sales[index]?.sold[0] ?? assert.fail()) as { transactionId: string; ticketIds: string[] };
    const loaded = await Promise.all(
      events.map(({ eventId }, index) =>
        store.load(eventId, {
          purchases: [idsOf(index).transactionId, newTransactionId()].map((transactionId) => ({
            transactionId,
            userId,
          })),
          // The next event's ticket belongs to another event.
          ticketIds: [
            idsOf(index).ticketIds[0] ?? "",
            idsOf((index + 1) % EVENTS).ticketIds[0] ?? "",
          ],
          userIds: [userId, randomUUID()],
        }),
      ),
    );
    loaded.forEach((result, index) => {
      assert.deepEqual([result.epoch, result.batch], [events[index]?.epoch, 1]);
      assert.deepEqual(result.sales, [
        { transactionId: idsOf(index).transactionId, userId, quantity: index + 1 },
      ]);
      assert.deepEqual(
        result.tickets.map(({ ticketId, cancelled }) => [ticketId, cancelled]),
        [[idsOf(index).ticketIds[0], false]],
      );
      assert.deepEqual(
        result.activeTickets.map(({ count }) => count),
        [index + 1],
      );
    });
    const loads = await Promise.allSettled(
      [...events.map(({ eventId }) => eventId), randomUUID()].map((id) => store.load(id, NOTHING)),
    );
    assert.deepEqual(
      loads.map(({ status }) => status),
      [...events.map(() => "fulfilled"), "rejected"],
    );
  });

  it("rejects the batch of an event with a newer epoch, and commits the others", async () => {
    const { store } = countingStore();
    const events = await take(store);
    const lost = events.at(-1) ?? assert.fail();
    await world.store("other").takeEpoch(lost.eventId);
    const results = await sellEach(store, events);
    assert.deepEqual(
      results.map(({ type }) => type),
      [...events.slice(1).map(() => "committed"), "fenced"],
    );
    assert.deepEqual(await sold(events), [...events.slice(1).map(() => 1), 0]);
    assert.deepEqual(
      (await sellEach(store, events)).map(({ type }) => type),
      events.map(() => "fenced"),
      "a batch is not sold twice",
    );
  });

  it("sells that rejected batch if the fence is missing (control)", async () => {
    const store = createBatchedEventStore(
      world.store("node", NO_FENCE),
      postgresManyEvents(world.database, "node", MANY_WITHOUT_FENCE),
    );
    const events = await take(store);
    const lost = events.at(-1) ?? assert.fail();
    await world.store("other").takeEpoch(lost.eventId);
    assert.equal((await sellEach(store, events)).at(-1)?.type, "committed");
  });

  it("commits the other events while one event's row is locked", async () => {
    const { store } = countingStore();
    const events = await take(store);
    const locked = events.at(-1) ?? assert.fail();
    let results: ReturnType<typeof sellEach> | undefined;
    await world.database.transaction(async (connection) => {
      await connection.query({
        text: "UPDATE event_worker SET epoch = epoch + 1 WHERE event_id = $1",
        values: [locked.eventId],
      });
      results = sellEach(store, events);
      // Committed and visible while the row is still locked.
      await waitFor(
        async () => (await sold(events)).join() === [...events.slice(1).map(() => 1), 0].join(),
      );
    });
    assert.equal(
      (await results)?.at(-1)?.type,
      "fenced",
      "the statement waited for the new epoch and saw it",
    );
  });

  it("keeps the other events' sales if one event's batch fails", async () => {
    const { store } = countingStore();
    const events = await take(store);
    const results = await Promise.all(
      events.map(({ eventId, epoch, event }, index) => {
        const cancelled = [
          { transactionId: newTransactionId(), userId: randomUUID(), ticketId: randomUUID() },
        ];
        return store.commit(
          { eventId, epoch, batch: 0 },
          index === 2 ? { ...saleOf(event, 1), cancelled } : saleOf(event, 1),
        );
      }),
    );
    const [bad, ...good] = [results[2], ...results.filter((_one, index) => index !== 2)];
    assert.ok(bad?.type === "failed");
    assert.match(bad.error.message, /tickets cancelled differ from the decision: 0 instead of 1/);
    assert.ok(good.every((result) => result?.type === "committed"));
    assert.deepEqual(await sold(events), [1, 1, 0, 1, 1, 1]);
  });

  it("settles every sale of a shared commit once after its answer was lost", async () => {
    let lost = 0;
    const { store } = countingStore("node", {
      async withConnection(work) {
        const result = await world.database.withConnection(work);
        if (lost++ === 0) throw new Error("Connection terminated unexpectedly");
        return result;
      },
    });
    const events = await take(store);
    const notes: WorkerNote[] = [];
    const workers = events.map(({ eventId }) =>
      world.worker(eventId, store, { note: (note) => notes.push(note) }),
    );
    const answers = await Promise.all(
      workers.map((worker) =>
        worker.submit(
          {
            type: "BuyTickets",
            transactionId: newTransactionId(),
            userId: randomUUID(),
            quantity: 2,
          },
          false,
        ),
      ),
    );
    assert.ok(
      notes.filter((note) => note === "commit-unknown").length > 1,
      "several commits had no answer",
    );
    assert.ok(
      answers.every((answer) => answer.ok && "replayed" in answer.value && !answer.value.replayed),
    );
    assert.deepEqual(
      await sold(events),
      events.map(() => 2),
    );
    await Promise.all(workers.map((worker) => worker.stop()));
  });
});

const NOTHING = { purchases: [], ticketIds: [], userIds: [] };
