// Two faults and two mistakes, for a short time. `boxoffice chaos` and `boxoffice chaos mutants`
// run all of them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readFaults } from "../../tools/chaos/faults.ts";
import { type MutantWorld, openMutantWorld, runMutants } from "../../tools/chaos/mutant-run.ts";
import { CHAOS_MUTANTS } from "../../tools/chaos/mutants.ts";
import { runFaults } from "../../tools/chaos/run-all.ts";
import { detailsOf } from "../../tools/chaos/table.ts";

const MISTAKES = ["the epoch check removed", "the limit decided without loading"];

describe("the chaos run", () => {
  const lines: string[] = [];
  const report = (line: string): number => lines.push(line);
  let opened: MutantWorld;
  before(async () => {
    opened = await openMutantWorld({ report });
  });
  after(() => opened.close());

  it("keeps all invariants when a gateway and the hot event's node are killed", async () => {
    const recorded: number[] = [];
    const results = await runFaults({
      world: opened.world,
      faults: await readFaults(["F1", "F2"]),
      seed: 1,
      clients: 8,
      hotCapacity: 2_500,
      report,
      onResult: (soFar) => recorded.push(soFar.length),
    });
    assert.deepEqual(recorded, [1, 2], "each result is recorded as its fault ends");
    for (const result of results) {
      const details = detailsOf(result).join("\n");
      assert.deepEqual(
        [result.violations, result.missed],
        [[], []],
        `${details}\n${lines.join("\n")}`,
      );
      assert.ok(
        result.samples > 20 && result.measures.by.buy.good > 50,
        "it sold while it was sampled",
      );
    }
    assert.deepEqual(
      results.map(({ id }) => id),
      ["F1", "F2"],
    );
  });

  it("detects a missing fence and a limit decided without loading, as its control", async () => {
    const mutants = CHAOS_MUTANTS.filter(({ mistake }) => MISTAKES.includes(mistake));
    assert.equal(mutants.length, MISTAKES.length);
    assert.deepEqual(await runMutants(opened, mutants, { report, seed: 1 }), [], lines.join("\n"));
  });
});
