// The capacity table follows from the measured costs: checked by hand-computed numbers.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  capacityTable,
  costsOf,
  DEMANDS,
  oldestRun,
  planFor,
} from "../../tools/scaling/capacity.ts";

const [million = assert.fail(), tenfold = assert.fail()] = DEMANDS;

describe("capacity planning", () => {
  it("reads a sale from its own nodes, and a view from a rush beside its sales", () => {
    const measured = (
      name: string,
      operation: string,
      operations: number,
      engine: number,
      kinds: Record<string, number> = {},
    ) => ({
      name,
      operation,
      operations,
      cpuMs: { engine, ...kinds },
    });
    const nodes = {
      measurements: [
        measured("one of each", "sale", 10, 0.8125, {
          api: 0.5,
          purchasing: 0.25,
          ledger: 0.0625,
          postgres: 9,
        }),
        measured("two of each", "sale", 10, 0.8125, { api: 0.25, purchasing: 0.5, ledger: 0.0625 }),
      ],
    };
    const hotEvent = {
      measurements: [measured("row-lock", "sale", 10, 0.9), measured("worker", "sale", 10, 0.2)],
    };
    // 1,200 ms in all, of which 200 are the sales'.
    const rush = {
      measurements: [
        measured("r: search", "search", 4_000, 0.24),
        measured("r: purchase", "purchase", 1_000, 0.24),
      ],
    };
    assert.deepEqual(costsOf({ nodes, hotEvent, rush }), {
      gatewaySaleMs: 0.5,
      workerSaleMs: 0.5625,
      viewMs: 0.25,
    });
    assert.deepEqual(costsOf({ nodes: undefined, hotEvent, rush }), { viewMs: 0.25 });
    assert.deepEqual(costsOf({ nodes, hotEvent, rush: undefined }), {
      gatewaySaleMs: 0.5,
      workerSaleMs: 0.5625,
    });
  });

  it("reckons as by hand", () => {
    // 9,000 views of 0.2 ms, of which the gateway has 0.14, and 1,000 sales of 0.3: 1,260 + 300 =
    // 1,560 ms a second, which is 2.6 threads at 60 %. Behind it 1,000 sales of 1.3 ms are 2.2.
    const plan = planFor(million, { gatewaySaleMs: 0.3, workerSaleMs: 1.3, viewMs: 0.2 });
    assert.deepEqual(
      [plan.viewsPerSecond, plan.salesPerSecond, plan.gateways, plan.purchasing, plan.catalog],
      [9_000, 1_000, 3, 3, 2],
    );
    assert.equal(plan.postgresGbPerYear, (200_000 * 365 * 800) / 1e9);
  });

  it("asks for more where a sale or a view costs more, and for ten times the demand", () => {
    const costs = { gatewaySaleMs: 0.2, workerSaleMs: 0.2, viewMs: 0.2 };
    const cheap = planFor(tenfold, costs);
    assert.ok(planFor(tenfold, { ...costs, workerSaleMs: 2 }).purchasing > cheap.purchasing);
    assert.ok(planFor(tenfold, { ...costs, gatewaySaleMs: 2 }).gateways > cheap.gateways);
    assert.ok(planFor(tenfold, { ...costs, viewMs: 2 }).gateways > cheap.gateways);
    assert.ok(cheap.gateways > planFor(million, costs).gateways);
    assert.match(
      capacityTable({ ...costs, viewMs: 0.3 }),
      /^CPU milliseconds: 0\.20 per purchase at the gateway, 0\.20 behind it, 0\.30 per view\.$/m,
    );
  });

  it("names the oldest of the runs that it rests on", () => {
    const older = { revision: "0e0f7e5", at: "2026-11-27T10:00:00.000Z" };
    const newer = { revision: "1179161", at: "2026-11-28T10:00:00.000Z" };
    const run = oldestRun([newer, undefined, older]);
    assert.deepEqual(run, { revision: older.revision, date: older.at });
    assert.match(
      capacityTable({ gatewaySaleMs: 0.2, workerSaleMs: 0.2, viewMs: 0.2 }, run),
      /^Generated from revision `0e0f7e5` on 2026-11-27 by /,
    );
    assert.equal(oldestRun([undefined]), undefined);
  });
});
