// Two nodes sell the same events at the same time, with shared statements on PostgreSQL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createBatchedEventStore } from "../../../services/purchasing/store/batched-event-store.ts";
import { postgresManyEvents } from "../../../services/purchasing/store/many-events.ts";
import type { EventStore } from "../../../services/purchasing/worker/ports.ts";
import {
  newTransactionId,
  openSaleWorld,
  type SaleWorld,
} from "../../support/fixtures/sale-fixture.ts";
import {
  dropAvailableCheck,
  MANY_WITHOUT_FENCE,
  NO_FENCE,
  unfenced,
} from "../../support/fixtures/without-fence.ts";

const EVENTS = 6;

describe("two nodes with batched event stores", () => {
  let world: SaleWorld;
  before(async () => (world = await openSaleWorld()));
  after(() => world.close());

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
      active: active.reduce((sum, result) => sum + result, 0),
      over: active.filter((result) => result > total).length,
    };
  };

  it("sell no place twice, and oversell without the fence and the CHECK (control)", async () => {
    for (let round = 0; round < 3; round++) {
      const { answered, active, over } = await race((node) =>
        createBatchedEventStore(world.store(node), postgresManyEvents(world.database, node)),
      );
      assert.deepEqual([answered, over], [active, 0]);
    }
    const unfencedRace = (): Promise<{ over: number }> =>
      race((node) =>
        unfencedEach(
          createBatchedEventStore(
            world.store(node, NO_FENCE),
            postgresManyEvents(world.database, node, MANY_WITHOUT_FENCE),
          ),
        ),
      );
    assert.equal((await unfencedRace()).over, 0, "the ownership row decides");
    await dropAvailableCheck(world.database);
    assert.ok((await unfencedRace()).over > 0);
  });
});

/** Gives each event its own `unfenced` store, which expects one epoch. */
function unfencedEach(store: EventStore): EventStore {
  const stores = new Map<string, EventStore>();
  const of = (eventId: string): EventStore => {
    const result = stores.get(eventId) ?? unfenced(store);
    stores.set(eventId, result);
    return result;
  };
  return {
    ...store,
    takeEpoch: (eventId) => of(eventId).takeEpoch(eventId),
    load: (eventId, needs) => of(eventId).load(eventId, needs),
    commit: (ownership, changes) => of(ownership.eventId).commit(ownership, changes),
  };
}
