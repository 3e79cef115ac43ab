// The security checklist: no line without a test, and a report that cannot say "pass" of one that
// has none or that fails.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SECURITY_LINES, idsOf } from "../../tools/security/checklist.ts";
import { securityPage } from "../../tools/security/report-page.ts";
import type { Outcome } from "../../tools/security/reporter.ts";
import { readTitles } from "../../tools/security/titles.ts";
import { ROOT } from "../../tools/root.ts";

const ids = Object.keys(SECURITY_LINES);

describe("the security report", () => {
  it("has a test for every line", () => {
    const titles = readTitles().map(({ title }) => title);
    const tried = new Set(titles.flatMap(idsOf));
    assert.deepEqual(
      ids.filter((id) => !tried.has(id)),
      [],
    );
    assert.deepEqual(
      titles.filter((title) => idsOf(title).length === 0),
      [],
      "a title begins with an id that is no line",
    );
  });

  it("reads the ids of a title", () => {
    assert.deepEqual(idsOf("S29, S30: both"), ["S29", "S30"]);
    for (const title of ["S99: none", "about S1: no", "S1 no colon", ""])
      assert.deepEqual(idsOf(title), []);
  });

  it("says pass only of a line whose tests ran and passed", () => {
    const passed = ids.map((id): Outcome => ({
      title: `${id}: holds | always`,
      file: "test/x.test.ts",
      outcome: "pass",
    }));
    const of = (outcomes: Outcome[]): string[] => securityPage(outcomes, "2026-01-01").missing;
    assert.deepEqual(of(passed), []);
    assert.deepEqual(of(passed.slice(1)), ["S1"], "no test");
    assert.deepEqual(of([...passed, { title: "S2: too", file: "", outcome: "fail" }]), ["S2"]);
    assert.deepEqual(
      of([...passed.slice(1), { title: "S1: not here", file: "", outcome: "skipped" }]),
      ["S1"],
      "skipped alone is not tried",
    );
    const { page } = securityPage(passed.slice(1), "2026-01-01");
    assert.match(page, /\| S1 \| [^|]+ \| no test \| \*\*fail\*\* \|/);
    assert.match(page, /\| S2 \| [^|]+ \| ✔ holds \\\| always \(`test\/x\.test\.ts`\) \| pass \|/);
  });

  it("is kept: docs/security.md has every line and each holds", () => {
    const page = readFileSync(join(ROOT, "docs", "security.md"), "utf8");
    for (const id of ids) assert.match(page, new RegExp(`^\\| ${id} \\|.*\\| pass \\|$`, "m"));
  });
});
