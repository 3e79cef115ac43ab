import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CHAOS_MUTANTS } from "../../tools/chaos/mutants.ts";
import { edited } from "../../tools/testing/mutated-copy.ts";
import { ROOT } from "../../tools/root.ts";

describe("mistakes planted in a cluster", () => {
  it("match the code exactly once, and change it", () => {
    for (const { edits } of CHAOS_MUTANTS) {
      const files = new Map(edits.map(([file]) => [file, readFileSync(join(ROOT, file), "utf8")]));
      for (const edit of edits) {
        const text = files.get(edit[0]) ?? assert.fail(edit[0]);
        const after = edited(text, edit);
        assert.notEqual(after, text);
        files.set(edit[0], after);
      }
    }
  });
});
