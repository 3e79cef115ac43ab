import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { applyEvents } from "../../services/ledger/booking/transaction-consumer.ts";
import { withoutAutovacuum } from "../support/database.ts";
import { untilOthersHaveWritten } from "../support/lock-waits.ts";
import { type LedgerWorld, openLedgerWorld } from "../support/fixtures/ledger-fixture.ts";

describe("the ledger", () => {
  let world: LedgerWorld;
  before(async () => {
    world = await openLedgerWorld();
  });
  after(() => world.close());

  it("leaves an event on its heap page, so that bookings do not touch an index", async () => {
    const events: string[] = [];
    while (events.length < 200) events.push(await world.addEvent(50));
    const pages = async (): Promise<Map<string, number>> => {
      const rows = await world.database.query<{ id: string; page: number }>({
        text: "SELECT id, (ctid::text::point)[0] AS page FROM event WHERE id = ANY ($1::uuid[])",
        values: [events],
      });
      return new Map(rows.map(({ id, page }) => [id, page]));
    };
    await withoutAutovacuum(async () => {
      const at = await pages();
      // Sells a twentieth of them at a time, spread over the pages.
      for (let round = 0; round < 60; round += 1) {
        await untilOthersHaveWritten(world.database);
        const selling = events.filter((_, index) => index % 20 === (round * 7) % 20);
        for (const eventId of selling) await world.sell(eventId, [1]);
        assert.equal((await applyEvents(world.database, selling)).rows, selling.length);
      }
      const now = await pages();
      assert.equal(
        events.filter((id) => now.get(id) !== at.get(id)).length,
        0,
        "events on another page",
      );
    });
  });
});
