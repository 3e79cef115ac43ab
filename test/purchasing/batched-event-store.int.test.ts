// Several events' sales in one statement, on a real PostgreSQL: each event's fence is its own, nobody waits for another's lock, and one's trouble is nobody else's.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Database } from "../../lib/database/pool.ts";
import { createBatchedEventStore } from "../../services/purchasing/store/batched-event-store.ts";
import type {
  EventStore,
  LoadedEvent,
  WorkerNote,
} from "../../services/purchasing/worker/ports.ts";
import { COMMIT_MANY } from "../../services/purchasing/store/batched-event-store.sql.ts";
import {
  newTransactionId,
  openSaleWorld,
  type SaleWorld,
  saleOf,
} from "../support/sale-fixture.ts";
import { NO_FENCE, unfenced } from "../support/without-fence.ts";
import { waitFor } from "../support/wait-for.ts";

/** The statement with everything but the look at epoch and batch. */
const MANY_WITHOUT_FENCE = COMMIT_MANY.text.replace(
  "AND CASE WHEN worker.epoch = asked.epoch AND worker.batch = asked.batch THEN true END",
  "",
);
const EVENTS = 6;

type Taken = { eventId: string; epoch: number; event: LoadedEvent };

describe("the gathered store", () => {
  let world: SaleWorld;
  before(async () => (world = await openSaleWorld()));
  after(() => world.close());

  /** Counts the statements for several events. */
  const gathered = (
    node = "node",
    change: Partial<Database> = {},
  ): { store: EventStore; together: () => number } => {
    let together = 0;
    const database: Database = {
      ...world.database,
      query: (statement) => world.database.query(statement),
      withConnection: (work) => {
        together += 1;
        return world.database.withConnection(work);
      },
      ...change,
    };
    return {
      store: createBatchedEventStore(database, world.store(node)),
      together: () => together,
    };
  };
  const take = (store: EventStore, total = 10): Promise<Taken[]> =>
    Promise.all(
      Array.from({ length: EVENTS }, async () => {
        const eventId = await world.addEvent(total);
        const epoch = (await store.takeEpoch(eventId)) ?? assert.fail("there is such an event");
        return { eventId, epoch, event: await store.loadEvent(eventId) };
      }),
    );
  /** The first goes alone, those after it together while it is under way. */
  const sellEach = (store: EventStore, events: readonly Taken[], quantity = 1, batch = 0) =>
    Promise.all(
      events.map(({ eventId, epoch, event }) =>
        store.commit({ eventId, epoch, batch }, saleOf(event, quantity)),
      ),
    );
  const sold = async (events: readonly Taken[]): Promise<number[]> =>
    Promise.all(events.map(async ({ eventId }) => (await world.numbers(eventId)).active));

  it("sells of each event what was decided, cancels, and goes on from its own batch", async () => {
    const { store, together } = gathered();
    const events = await take(store);
    const sales = events.map(({ event }) => saleOf(event, 3));
    const first = await Promise.all(
      events.map(({ eventId, epoch }, index) =>
        store.commit({ eventId, epoch, batch: 0 }, sales[index] ?? assert.fail()),
      ),
    );
    assert.ok(together() < EVENTS, "several events in a statement");
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

  it("loads for each event what it asked, and nothing of another's", async () => {
    const { store } = gathered();
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
          // The next event's ticket is none of this one.
          ticketIds: [
            idsOf(index).ticketIds[0] ?? "",
            idsOf((index + 1) % EVENTS).ticketIds[0] ?? "",
          ],
          userIds: [userId, randomUUID()],
        }),
      ),
    );
    loaded.forEach((one, index) => {
      assert.deepEqual([one.epoch, one.batch], [events[index]?.epoch, 1]);
      assert.deepEqual(one.sales, [
        { transactionId: idsOf(index).transactionId, userId, quantity: index + 1 },
      ]);
      assert.deepEqual(
        one.tickets.map(({ ticketId, cancelled }) => [ticketId, cancelled]),
        [[idsOf(index).ticketIds[0], false]],
      );
      assert.deepEqual(
        one.activeTickets.map(({ count }) => count),
        [index + 1],
      );
    });
    const gone = await Promise.allSettled(
      [...events.map(({ eventId }) => eventId), randomUUID()].map((id) => store.load(id, NOTHING)),
    );
    assert.deepEqual(
      gone.map(({ status }) => status),
      [...events.map(() => "fulfilled"), "rejected"],
    );
  });

  it("lets nothing pass of an event whose epoch another has taken, and everything of the others", async () => {
    const { store } = gathered();
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

  it("sells by the same test what the fence must stop, where the fence is left out (control)", async () => {
    const store = createBatchedEventStore(
      world.database,
      world.store("node", NO_FENCE),
      MANY_WITHOUT_FENCE,
    );
    const events = await take(store);
    const lost = events.at(-1) ?? assert.fail();
    await world.store("other").takeEpoch(lost.eventId);
    assert.equal((await sellEach(store, events)).at(-1)?.type, "committed");
  });

  it("waits for no event's lock with the others', and for that event alone until its holder has ended", async () => {
    const { store } = gathered();
    const events = await take(store);
    const held = events.at(-1) ?? assert.fail();
    let results: ReturnType<typeof sellEach> | undefined;
    await world.database.transaction(async (connection) => {
      await connection.query({
        text: "UPDATE event_worker SET epoch = epoch + 1 WHERE event_id = $1",
        values: [held.eventId],
      });
      results = sellEach(store, events);
      // Committed, and seen by others, while the row is still held.
      await waitFor(
        async () => (await sold(events)).join() === [...events.slice(1).map(() => 1), 0].join(),
      );
    });
    assert.equal(
      (await results)?.at(-1)?.type,
      "fenced",
      "the taker's epoch was waited for and seen",
    );
  });

  it("does not take back the others' sales where one event's are refused", async () => {
    const { store } = gathered();
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

  it("settles what was committed together and never answered as one sale each", async () => {
    let lost = 0;
    const { store } = gathered("node", {
      async withConnection(work) {
        const result = await world.database.withConnection(work);
        if (lost++ === 0) throw new Error("Connection terminated unexpectedly");
        return result;
      },
    });
    const events = await take(store);
    const notes: WorkerNote[] = [];
    const workers = events.map(({ eventId }) =>
      world.worker(eventId, store, { note: (what) => notes.push(what) }),
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
      notes.filter((what) => what === "commit-unknown").length > 1,
      "several of them had no answer",
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

  const race = async (
    storeOf: (node: string) => EventStore,
  ): Promise<{ answered: number; active: number; over: number }> => {
    const total = 20;
    const stores = [storeOf("one"), storeOf("two")];
    const eventIds = await Promise.all(Array.from({ length: EVENTS }, () => world.addEvent(total)));
    const workers = eventIds.flatMap((eventId) =>
      stores.map((store) => world.worker(eventId, store)),
    );
    const answers = await Promise.all(
      Array.from({ length: EVENTS * 100 }, (_, index) =>
        (workers[index % workers.length] ?? assert.fail()).submit(
          {
            type: "BuyTickets",
            transactionId: newTransactionId(),
            userId: randomUUID(),
            quantity: 1,
          },
          true,
        ),
      ),
    );
    await Promise.all(workers.map((worker) => worker.stop()));
    const active = await Promise.all(
      eventIds.map(async (eventId) => (await world.numbers(eventId)).active),
    );
    return {
      answered: answers.filter((answer) => answer.ok).length,
      active: active.reduce((sum, one) => sum + one, 0),
      over: active.filter((one) => one > total).length,
    };
  };

  it("holds against two nodes that sell the same events at once, where without the fence they oversell (control)", async () => {
    for (let round = 0; round < 3; round++) {
      const { answered, active, over } = await race((node) =>
        createBatchedEventStore(world.database, world.store(node)),
      );
      assert.deepEqual([answered, over], [active, 0]);
    }
    const { over } = await race((node) =>
      unfencedEach(
        createBatchedEventStore(world.database, world.store(node, NO_FENCE), MANY_WITHOUT_FENCE),
      ),
    );
    assert.ok(over > 0);
  });
});

const NOTHING = { purchases: [], ticketIds: [], userIds: [] };

/** `unfenced` believes one epoch; here each event has its own. */
function unfencedEach(store: EventStore): EventStore {
  const stores = new Map<string, EventStore>();
  const of = (eventId: string): EventStore => {
    const one = stores.get(eventId) ?? unfenced(store);
    stores.set(eventId, one);
    return one;
  };
  return {
    ...store,
    takeEpoch: (eventId) => of(eventId).takeEpoch(eventId),
    load: (eventId, needs) => of(eventId).load(eventId, needs),
    commit: (ownership, changes) => of(ownership.eventId).commit(ownership, changes),
  };
}
