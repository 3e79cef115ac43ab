// One incident of the game day, ten times as fast. `boxoffice game-day` plays all of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { rowOf, runGameDay } from "../../tools/game-day/game-day.ts";
import { INCIDENTS, PLANTED } from "../../tools/game-day/incidents.ts";
import { rulesOf } from "../../tools/monitoring/rule-files.ts";
import { ROOT } from "../../tools/root.ts";
import { edited } from "../../tools/testing/mutated-copy.ts";
import { provideProgram } from "../support/processes/programs.ts";

const programs = [await provideProgram("prometheus"), await provideProgram("alertmanager")];
const skip = programs.find((found) => typeof found === "string") ?? false;
/** The one that customers do not notice, and that once paged the wrong alert. */
const PLAYED = ["postgres-frozen"];

describe("the game day", { skip }, () => {
  it("pages PostgresDown, and no other, while PostgreSQL is frozen and people search", async () => {
    const lines: string[] = [];
    const results = await runGameDay({
      incidents: INCIDENTS.filter(({ id }) => PLAYED.includes(id)),
      // A reading waits two seconds for a frozen server, so a scrape may take as long.
      pace: { intervalS: 3, speed: 10, watchS: { before: 4, after: 7, recovery: 2 } },
      counts: { api: 1, purchasing: 1, ledger: 1 },
      report: (line) => lines.push(line),
    });
    assert.deepEqual(
      results.map(({ id, problems, wrong }) => [id, problems, wrong]),
      PLAYED.map((id) => [id, [], []]),
      JSON.stringify([results.map(rowOf), lines], undefined, 2),
    );
    for (const { notice, page } of results) {
      const { runbook_url, description = "" } = notice?.annotations ?? {};
      assert.match(runbook_url ?? "", new RegExp(`^docs/runbooks/[\\w-]+\\.md#${page}$`, "i"));
      assert.match(description, /127\.0\.0\.1:\d+/, "it names the instance");
      assert.doesNotMatch(description, /\{\{|<no value>/);
    }
  });

  it("has incidents whose pages are alerts that page", () => {
    assert.equal(INCIDENTS.length, 8);
    const pages = rulesOf().filter(({ labels }) => labels?.severity === "page");
    for (const { id, page } of INCIDENTS)
      assert.ok(
        pages.some(({ alert }) => alert === page),
        `${id} expects ${page}`,
      );
    for (const edit of PLANTED) {
      const text = readFileSync(join(ROOT, edit[0]), "utf8");
      assert.match(edited(text, edit), /planted by the game day/);
    }
  });
});
