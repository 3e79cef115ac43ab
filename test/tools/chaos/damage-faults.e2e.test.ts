// PostgreSQL's machine fails: pages change on its disk, its power is cut. `boxoffice chaos` runs
// all of F21, and F20, for which it installs Patroni.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Fault } from "../../../tools/chaos/fault.ts";
import { flippedPages } from "../../../tools/chaos/faults/durability/f21-flipped-byte.ts";
import { fault as powerCut } from "../../../tools/chaos/faults/durability/f22-power-cut.ts";
import { type FaultResult, runFault } from "../../../tools/chaos/run-fault.ts";
import { detailsOf } from "../../../tools/chaos/table.ts";
import { openWorld, type World } from "../../../tools/chaos/test-bed.ts";

/** A server that answers before it has flushed, and flushes late. */
const answersEarly: Fault = {
  ...powerCut,
  async prepare({ world }) {
    for (const setting of ["synchronous_commit = off", "wal_writer_delay = '10s'"])
      await world.database.query({ text: `ALTER SYSTEM SET ${setting}` });
    await world.database.query({ text: "SELECT pg_reload_conf()" });
  },
};

describe("a machine that fails under PostgreSQL", () => {
  const lines: string[] = [];
  let world: World;
  before(async () => {
    const counts = { api: 1, auth: 1, catalog: 1, purchasing: 1, ledger: 1 };
    world = await openWorld({ counts, report: (line) => lines.push(line) });
  });
  after(() => world.close());
  /** A seed has its customers, who would list what they bought in an earlier fault. */
  const run = (fault: Fault, seed: number): Promise<FaultResult> =>
    runFault(world, fault, {
      seed,
      clients: 6,
      hotCapacity: 2_000,
      aroundSeconds: { before: 1, after: 1 },
      log: (line) => lines.push(line),
    });
  const assertGreen = (result: FaultResult): void =>
    assert.deepEqual(
      [result.violations, result.missed],
      [[], []],
      `${detailsOf(result).join("\n")}\n${lines.join("\n")}`,
    );

  it("F21: sells nothing on a damaged table or index, and makes no backup of it", async () => {
    assertGreen(await run(flippedPages, 1));
  });

  it("F22: loses no answered sale in a power cut", async () => {
    assertGreen(await run(powerCut, 2));
  });

  it("F22: loses sales that were answered before they were flushed (control)", async () => {
    const { violations, missed } = await run(answersEarly, 3);
    assert.deepEqual(missed, []);
    assert.ok(
      violations.some(
        ({ invariant, text }) => invariant === "I2" && text.includes("answered as sold"),
      ),
      JSON.stringify(violations),
    );
  });
});
