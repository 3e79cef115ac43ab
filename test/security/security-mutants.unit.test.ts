// Protections taken out of the code on purpose: the list keeps up with the code, no line is without
// one, and the page tells of each as it is now.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SECURITY_LINES } from "../../tools/security/checklist.ts";
import { edited } from "../../tools/testing/mutated-copy.ts";
import { without } from "../../tools/security/mutant.ts";
import { mutantsPart, mutantsSection, rowsWithout } from "../../tools/security/mutants-report.ts";
import { MUTANTS } from "../../tools/security/mutants.ts";
import { readTitles, titleOf } from "../../tools/security/titles.ts";
import { ROOT } from "../../tools/root.ts";

const titles = readTitles();

describe("protections taken out", () => {
  it("are found in the code, each exactly once", () => {
    for (const { edits } of MUTANTS)
      for (const edit of edits) {
        const text = readFileSync(join(ROOT, edit[0]), "utf8");
        assert.notEqual(edited(text, edit), text);
      }
    assert.throws(() => edited("a b", ["x.ts", "c", ""]), /x\.ts has 0 times, not once/);
    assert.throws(() => edited("a b a", ["x.ts", "a", ""]), /x\.ts has 2 times, not once/);
  });

  it("are of every line of the checklist, and each has a test of its own line", () => {
    const tried = new Set(MUTANTS.map(({ id }) => id));
    assert.deepEqual([...tried].sort(), Object.keys(SECURITY_LINES).sort());
    for (const { noticedBy } of MUTANTS) titleOf(titles, noticedBy);
    assert.throws(() => titleOf(titles, "S1: no such test"), /0 tests, not one/);
    assert.throws(() => titleOf(titles, "S2: "), /\d tests, not one/);
  });

  it("are told of in docs/security.md as they are now", () => {
    const page = mutantsPart(readFileSync(join(ROOT, "docs", "security.md"), "utf8"));
    const untried = rowsWithout(MUTANTS, titles).filter((row) => !page.includes(`\n${row}`));
    assert.deepEqual(untried, [], "run npx boxoffice security mutants with these");
  });

  it("keep what an earlier run saw, as long as they stay what they were", () => {
    const [first, second] = MUTANTS;
    assert.ok(first && second);
    const both = [first, second];
    const before = mutantsSection("", both, new Set(both), titles, "2026-01-01");
    const changed = without("something else", second.noticedBy, ...second.edits);
    const after = mutantsSection(before, [first, changed], new Set(), titles, "2026-02-02").split(
      "\n",
    );
    const rows = after.filter((line) => line.startsWith("| S"));
    assert.equal(rows.length, 1);
    assert.match(rows[0] ?? "", /^\| S1 \| .* \| 2026-01-01 \|$/);
    const [row = ""] = rowsWithout([first], titles);
    assert.ok(rows[0]?.startsWith(row));
  });
});
