// Two faults, for a short time. `boxoffice chaos` runs all of them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readFaults } from "../../tools/chaos/faults.ts";
import { runFaults } from "../../tools/chaos/run-all.ts";
import { detailsOf } from "../../tools/chaos/table.ts";

describe("the chaos run", () => {
  it("keeps all invariants when a gateway and the hot event's node are killed", async () => {
    const faults = await readFaults(["F1", "F2"]);
    const lines: string[] = [];
    const results = await runFaults({
      faults,
      seed: 1,
      clients: 8,
      hotCapacity: 2_500,
      throwaway: true,
      report: (line) => lines.push(line),
    });
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
});
