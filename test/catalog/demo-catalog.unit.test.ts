// Invented events make sense: sizes that fit their kind, and cities as they are written.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";

/** More would be nonsense. */
const PLACES_MAX: Readonly<Record<string, number>> = {
  workshop: 40,
  conference: 5_000,
  theatre: 2_000,
  comedy: 3_000,
  exhibition: 1_000,
};

describe("the demo catalog", () => {
  it("has sizes that fit the kind of event, and no misspelt city", () => {
    const events = [...demoEvents(4_000, Date.parse("2030-01-01"), 100)];
    for (const { type, totalCapacity, name, location } of events) {
      assert.ok(totalCapacity >= 10, `${name}: ${totalCapacity}`);
      assert.ok(totalCapacity <= (PLACES_MAX[type] ?? 60_000), `${name}: ${totalCapacity}`);
      assert.doesNotMatch(`${name} ${location}`, /Shenyeng/);
    }
    assert.ok(
      events.some(({ totalCapacity }) => totalCapacity > 10_000),
      "some are popular",
    );
  });
});
