// The chaos run itself, short: separate processes on servers of its own, two faults, everything checked. The whole run is `npx boxoffice chaos`.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readFaults } from "../../tools/chaos/faults.ts";
import { runFaults } from "../../tools/chaos/run-all.ts";
import { detailsOf } from "../../tools/chaos/table.ts";

describe("the chaos run", () => {
  it("kills a gateway and the hot event's node, and finds every promise kept", async () => {
    const faults = await readFaults(["F1", "F2"]);
    const said: string[] = [];
    const results = await runFaults({
      faults,
      seed: 1,
      clients: 8,
      hotCapacity: 2_500,
      throwaway: true,
      report: (line) => said.push(line),
    });
    for (const result of results) {
      const details = detailsOf(result).join("\n");
      assert.deepEqual(
        [result.violations, result.missed],
        [[], []],
        `${details}\n${said.join("\n")}`,
      );
      assert.ok(
        result.samples > 20 && result.measures.by.buy.good > 50,
        "it sold while it was looked at",
      );
    }
    assert.deepEqual(
      results.map(({ id }) => id),
      ["F1", "F2"],
    );
  });
});
