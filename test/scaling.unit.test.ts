// The capacity table is what the measured costs say, no more: hand-reckoned numbers, and more nodes where a purchase costs more.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { capacityTable, costsOf, DEMANDS, planFor } from "../scripts/scaling/capacity.ts";

const [million = assert.fail(), tenfold = assert.fail()] = DEMANDS;

describe("capacity planning", () => {
  it("reads a sale from hot-event and a view from what a rush costs beside its sales", () => {
    const measured = (name: string, operation: string, operations: number, engine: number) => ({
      name,
      operation,
      operations,
      cpuMs: { engine },
    });
    const hotEvent = { measurements: [measured("row-lock", "sale", 10, 0.9), measured("worker", "sale", 10, 0.2)] };
    // 1,200 ms in all, of which 200 are the sales'.
    const rush = { measurements: [measured("r: search", "search", 4_000, 0.24), measured("r: purchase", "purchase", 1_000, 0.24)] };
    assert.deepEqual(costsOf(hotEvent, rush), { saleMs: 0.2, viewMs: 0.25 });
    assert.deepEqual(costsOf(hotEvent, undefined), { saleMs: 0.2 });
  });

  it("reckons as by hand", () => {
    // 9,000 views of 0.2 ms and 1,000 sales of 0.3 ms: gateways 1,260 + 180 = 1,440 ms a second, which is 2.4 threads at 60 %.
    const plan = planFor(million, { saleMs: 0.3, viewMs: 0.2 });
    assert.deepEqual([plan.viewsPerSecond, plan.salesPerSecond, plan.gateways, plan.purchasing, plan.catalog], [9_000, 1_000, 3, 2, 2]);
    assert.equal(plan.postgresGbPerYear, (200_000 * 365 * 800) / 1e9);
  });

  it("asks for more where a sale or a view costs more, and for ten times the demand", () => {
    const cheap = planFor(tenfold, { saleMs: 0.2, viewMs: 0.2 });
    assert.ok(planFor(tenfold, { saleMs: 2, viewMs: 0.2 }).purchasing > cheap.purchasing);
    assert.ok(planFor(tenfold, { saleMs: 0.2, viewMs: 2 }).gateways > cheap.gateways);
    assert.ok(cheap.gateways > planFor(million, { saleMs: 0.2, viewMs: 0.2 }).gateways);
    assert.match(capacityTable({ saleMs: 0.2, viewMs: 0.3 }), /^Computed with 0\.20 CPU-ms a purchase and 0\.30 CPU-ms a view\./);
  });
});
