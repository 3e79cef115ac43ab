// The chaos run must be able to fail: nodes with a mistake in them turn it red. Two of the mistakes here, all of them by `npx boxoffice chaos mutants`.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runMutants } from "../../tools/chaos/mutant-run.ts";
import { CHAOS_MUTANTS } from "../../tools/chaos/mutants.ts";

const HERE = ["the epoch check removed", "the limit decided without loading"];

describe("the chaos run's control", () => {
  it("is green as it is, and sees that nodes without the epoch's fence oversell, and those that do not load sell beyond the limit", async () => {
    const mutants = CHAOS_MUTANTS.filter(({ mistake }) => HERE.includes(mistake));
    assert.equal(mutants.length, HERE.length);
    const said: string[] = [];
    assert.deepEqual(
      await runMutants(mutants, { seed: 1, report: (line) => said.push(line) }),
      [],
      said.join("\n"),
    );
  });
});
