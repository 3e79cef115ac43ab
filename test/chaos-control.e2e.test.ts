// The chaos run must be able to fail: a cluster with a mistake in it turns it red.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { readFaults } from "../scripts/chaos/faults.ts";
import { runFaults } from "../scripts/chaos/run-all.ts";

describe("the chaos run's control", () => {
  it("sees that two workers without the epoch's fence oversell (F5)", async () => {
    const program = { purchasing: fileURLToPath(new URL("support/unfenced-node.ts", import.meta.url)) };
    const faults = await readFaults(["F5"]);
    const [result] = await runFaults({ faults, program, seed: 1, clients: 8, throwaway: true, report: () => undefined });
    const broken = new Set(result?.violations.map(({ invariant }) => invariant));
    assert.ok(broken.has("I1"), JSON.stringify([result?.violations.slice(0, 5), result?.missed, result?.notes, result?.measures.by.buy]));
  });
});
