// Keys that an older release has folded: the next import of the feed renews them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventId } from "../../lib/ids.ts";
import type { SearchPage } from "../../services/catalog/search/find-page.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { type CatalogWorld, openCatalogWorld } from "../support/fixtures/catalog-fixture.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");

describe("keys of searches", () => {
  let world: CatalogWorld;
  before(async () => {
    world = await openCatalogWorld(NOW);
  });
  after(() => world.close());

  it("are renewed by an import whose record is the same", async () => {
    const model = [...demoEvents(1, NOW, 300)][0] ?? assert.fail("an event");
    const guns = { ...model, name: "Guns N’ “Roses”" };
    const id = eventId(guns);
    await world.import([guns]);
    const text = "UPDATE event SET name_key = $2 WHERE id = $1";
    await world.database.query({ text, values: [id, "guns n' “roses”"] });
    for (const outcome of ["updated", "unchanged"])
      assert.deepEqual(await world.import([guns]), [{ outcome }]);
    for (const name of ['guns n "roses', "GUNS N' „roses“"]) {
      const page = await world.value<SearchPage>("catalog.search", { name });
      assert.deepEqual(
        page.items.map((item) => item.id),
        [id],
        name,
      );
    }
  });
});
