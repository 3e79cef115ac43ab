// Two workers sell one event at the same time on PostgreSQL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { EventStore } from "../../../services/purchasing/worker/ports.ts";
import {
  newTransactionId,
  openSaleWorld,
  type SaleWorld,
} from "../../support/fixtures/sale-fixture.ts";
import { dropAvailableCheck, NO_FENCE, unfenced } from "../../support/fixtures/without-fence.ts";

/** Resolves the first two calls once both have come, and later calls immediately. */
function meeting(): () => Promise<void> {
  let here = 0;
  let open: () => void = () => undefined;
  const both = new Promise<void>((resolve) => (open = resolve));
  return () => {
    if (++here === 2) open();
    return both;
  };
}

describe("the fence in a race", () => {
  let world: SaleWorld;
  before(async () => (world = await openSaleWorld()));
  after(() => world.close());

  const race = async (
    storeOf: (node: string) => EventStore,
  ): Promise<{ answered: number; active: number; total: number }> => {
    const total = 60;
    const eventId = await world.addEvent(total);
    const met = meeting();
    // Both load the availability before either sells.
    const racing = (store: EventStore): EventStore => ({
      ...store,
      loadEvent: (id) => store.loadEvent(id).finally(met),
    });
    const workers = [
      world.worker(eventId, racing(storeOf("one"))),
      world.worker(eventId, racing(storeOf("two"))),
    ] as const;
    const buyers = Array.from({ length: 400 }, (_, index) =>
      workers[index % 2 === 0 ? 0 : 1].submit(
        {
          type: "BuyTickets",
          transactionId: newTransactionId(),
          userId: randomUUID(),
          quantity: 1,
        },
        true,
      ),
    );
    const answers = await Promise.all(buyers);
    await Promise.all(workers.map((worker) => worker.stop()));
    return {
      answered: answers.filter((answer) => answer.ok).length,
      active: (await world.numbers(eventId)).active,
      total,
    };
  };

  it("lets two workers of one event sell no place twice", async () => {
    for (let round = 0; round < 5; round++) {
      const { answered, active, total } = await race((node) => world.store(node));
      assert.ok(active <= total, `${active} tickets of ${total} places`);
      assert.equal(answered, active);
    }
  });

  it("oversells nothing without it, for the ownership row decides", async () => {
    const { active, total } = await race((node) => unfenced(world.store(node, NO_FENCE)));
    assert.ok(active <= total, `${active} tickets of ${total} places`);
  });

  it("is needed: without both the same race oversells (control)", async () => {
    await dropAvailableCheck(world.database);
    const { active, total } = await race((node) => unfenced(world.store(node, NO_FENCE)));
    assert.ok(active > total, `${active} tickets of ${total} places`);
  });
});
