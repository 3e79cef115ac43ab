// Two of the mistakes. `boxoffice chaos mutants` runs all of them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runMutants } from "../../tools/chaos/mutant-run.ts";
import { CHAOS_MUTANTS } from "../../tools/chaos/mutants.ts";

const TRIED = ["the epoch check removed", "the limit decided without loading"];

describe("the chaos run's control", () => {
  it("detects a missing fence and a limit decided without loading", async () => {
    const mutants = CHAOS_MUTANTS.filter(({ mistake }) => TRIED.includes(mistake));
    assert.equal(mutants.length, TRIED.length);
    const lines: string[] = [];
    assert.deepEqual(
      await runMutants(mutants, { seed: 1, report: (line) => lines.push(line) }),
      [],
      lines.join("\n"),
    );
  });
});
