import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { postgresManyEvents } from "../../../services/purchasing/store/many-events.ts";
import { openSaleWorld, saleOf, type SaleWorld } from "../../support/fixtures/sale-fixture.ts";

describe("the node in the fence", () => {
  let world: SaleWorld;
  before(async () => (world = await openSaleWorld()));
  after(() => world.close());

  it("F20: an epoch that a failover has given out twice sells at the node of the row only", async () => {
    const eventId = await world.addEvent(10);
    const [lost, named] = [world.store("lost"), world.store("named")];
    const epoch = (await lost.takeEpoch(eventId)) ?? assert.fail("unknown event");
    const event = await lost.loadEvent(eventId);
    // The promoted server never had that epoch, and its clock gives the same one to another node.
    await world.database.query({
      text: "UPDATE event_worker SET node = 'named' WHERE event_id = $1",
      values: [eventId],
    });
    const needs = { purchases: [], ticketIds: [], userIds: [] };
    const many = (node: string) => postgresManyEvents(world.database, node);
    const sell = { ownership: { eventId, epoch, batch: 0 }, changes: saleOf(event, 1) };
    assert.equal((await lost.load(eventId, needs)).epoch, 0, "a refusal sees it, too");
    assert.equal((await many("lost").load([{ eventId, needs }]))[0]?.epoch, 0);
    assert.equal((await lost.commit(sell.ownership, sell.changes)).type, "fenced");
    assert.deepEqual(await many("lost").commit([sell]), {
      type: "answered",
      results: [undefined],
    });
    assert.deepEqual((await world.numbers(eventId)).active, 0);
    assert.equal((await named.load(eventId, needs)).epoch, epoch);
    assert.equal((await many("named").load([{ eventId, needs }]))[0]?.epoch, epoch);
    assert.equal((await named.commit(sell.ownership, sell.changes)).type, "committed");
    assert.equal((await world.numbers(eventId)).active, 1);
  });
});
