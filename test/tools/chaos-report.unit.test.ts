import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { measure } from "../../tools/chaos/checks/good-answers.ts";
import { readFaults } from "../../tools/chaos/faults.ts";
import { reliabilityPage } from "../../tools/chaos/report-page.ts";
import type { FaultResult } from "../../tools/chaos/run-fault.ts";
import { hasFailed } from "../../tools/chaos/table.ts";

const KEPT: FaultResult = {
  id: "F1",
  title: "kill -9 a gateway",
  seed: 101,
  seconds: 12,
  measures: measure([], 0),
  drainedSeconds: 0.4,
  samples: 40,
  violations: [],
  missed: [],
  notes: ["3 in flight"],
  phases: [],
  badAnswers: [],
};
const BROKEN: FaultResult = {
  ...KEPT,
  id: "F4",
  seed: 104,
  violations: [{ invariant: "I1", text: "11 active tickets of 10 places" }],
  missed: ["too late"],
};
const RUN = {
  seed: 1,
  began: "2026-11-24T18:00:00.000Z",
  minutes: 14,
  machine: "2 cores",
  revision: "0e0f7e5a12",
  faults: [KEPT, BROKEN],
};

describe("the chaos run's report", () => {
  it("fails for a violated invariant and for a missed bound only", () => {
    assert.deepEqual([KEPT, BROKEN, { ...KEPT, missed: ["too late"] }].map(hasFailed), [
      false,
      true,
      true,
    ]);
  });

  it("writes violations and their seeds into the page", () => {
    const page = reliabilityPage(RUN, undefined);
    assert.match(
      page,
      /^Generated from revision `0e0f7e5a12` on 2026-11-24 by `npx boxoffice chaos --seed 1`\.$/m,
    );
    assert.match(page, /Started at 2026-11-24T18:00:00.000Z, took 14 minutes, on 2 cores\./);
    assert.match(page, /\| F1 kill -9 a gateway \| 100 % of 0 .* \| ok \| ok \| 3 in flight \|/);
    assert.match(page, /\| F4 .* \| violated: I1 \| missed \|/);
    assert.match(page, /- F4 VIOLATED I1 \(seed 104\): 11 active tickets/);
    assert.doesNotMatch(page, /The soak/);
    assert.match(reliabilityPage(RUN, RUN), /`npx boxoffice chaos --soak --seed 1`/);
  });

  it("reads every fault by its number", async () => {
    const all = await readFaults();
    assert.deepEqual(
      all.map(({ id }) => id),
      Array.from({ length: 28 }, (_, index) => `F${index + 1}`),
    );
    assert.deepEqual(
      (await readFaults(["F4"])).map(({ id }) => id),
      ["F4"],
    );
    await assert.rejects(readFaults(["F77"]), /no fault F77/);
  });
});
