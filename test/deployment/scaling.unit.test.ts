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

const COSTS = {
  gatewaySaleMs: 0.2,
  purchasingSaleMs: 0.2,
  ledgerSaleMs: 0.02,
  postgresSaleMs: 0.03,
  gatewayViewMs: 0.2,
  catalogViewMs: 0.02,
};
const [million = assert.fail(), tenfold = assert.fail()] = DEMANDS;

describe("capacity planning", () => {
  it("reads a sale from its own nodes, and a view from a rush beside its sales", () => {
    const layout = (name: string, cpuMs: Record<string, number>) => ({
      name,
      operation: "sale",
      operations: 10,
      cpuMs,
    });
    const nodes = {
      measurements: [
        layout("one of each, one event", {
          api: 0.5,
          purchasing: 0.25,
          ledger: 0.0625,
          postgres: 0.125,
        }),
        layout("two of each, one event", {
          api: 0.25,
          purchasing: 0.5,
          ledger: 0.0625,
          postgres: 0.0625,
        }),
        // A thousand events make small batches, and one process has no bus.
        layout("one of each, 1,000 events", { api: 9 }),
        layout("one process, one event", { engine: 9 }),
      ],
    };
    // At the gateway 1,500 ms in all, of which 500 are the sales'.
    const cpuMs = { api: 0.3, catalog: 0.1 };
    const round = (name: string, operation: string, operations: number) => ({
      name: `one of each, without think time: ${name}`,
      operation,
      operations,
      cpuMs,
    });
    const rush = {
      measurements: [round("search", "search", 4_000), round("purchase", "purchase", 1_000)],
    };
    const sale = {
      gatewaySaleMs: 0.5,
      purchasingSaleMs: 0.5,
      ledgerSaleMs: 0.0625,
      postgresSaleMs: 0.125,
    };
    assert.deepEqual(costsOf({ nodes, rush }), {
      ...sale,
      gatewayViewMs: 0.25,
      catalogViewMs: 0.125,
    });
    assert.deepEqual(costsOf({ nodes: undefined, rush }), {});
    assert.deepEqual(costsOf({ nodes, rush: undefined }), sale);
  });

  it("reckons as by hand", () => {
    // 9,000 views of 0.14 ms and 1,000 sales of 0.3 are 1,560 ms a second at the gateways, 2.6
    // threads at 60 %. 1,000 sales of 1.3 ms are 2.2, and of 0.03 in PostgreSQL 0.05.
    const plan = planFor(million, {
      ...COSTS,
      gatewaySaleMs: 0.3,
      purchasingSaleMs: 1.3,
      gatewayViewMs: 0.14,
    });
    assert.deepEqual(
      [plan.viewsPerSecond, plan.salesPerSecond, plan.gateways, plan.purchasing, plan.catalog],
      [9_000, 1_000, 3, 3, 2],
    );
    assert.equal(plan.postgresCores.toFixed(3), "0.050");
    assert.equal(Math.round(plan.salesOfOneEvent), 462);
    assert.equal(plan.postgresGbPerYear, (200_000 * 365 * 800) / 1e9);
  });

  it("asks for more where a sale or a view costs more, and for ten times the demand", () => {
    const cheap = planFor(tenfold, COSTS);
    assert.ok(planFor(tenfold, { ...COSTS, purchasingSaleMs: 2 }).purchasing > cheap.purchasing);
    assert.ok(planFor(tenfold, { ...COSTS, ledgerSaleMs: 2 }).ledgers > cheap.ledgers);
    assert.ok(planFor(tenfold, { ...COSTS, gatewaySaleMs: 2 }).gateways > cheap.gateways);
    assert.ok(planFor(tenfold, { ...COSTS, gatewayViewMs: 2 }).gateways > cheap.gateways);
    assert.ok(planFor(tenfold, { ...COSTS, catalogViewMs: 2 }).catalog > cheap.catalog);
    assert.ok(cheap.gateways > planFor(million, COSTS).gateways);
    assert.match(
      capacityTable({ ...COSTS, gatewayViewMs: 0.3 }),
      /^CPU milliseconds of a purchase: 0\.20 at the gateway,[^|]* 0\.30 at the gateway/m,
    );
  });

  it("names the oldest of the runs that it rests on", () => {
    const older = { revision: "0e0f7e5", at: "2026-11-27T10:00:00.000Z" };
    const newer = { revision: "1179161", at: "2026-11-28T10:00:00.000Z" };
    const run = oldestRun([newer, undefined, older]);
    assert.deepEqual(run, { revision: older.revision, date: older.at });
    assert.match(capacityTable(COSTS, run), /^Generated from revision `0e0f7e5` on 2026-11-27 by /);
    assert.equal(oldestRun([undefined]), undefined);
  });
});
