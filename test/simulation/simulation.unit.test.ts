import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "../../tools/root.ts";
import { play } from "./model/play.ts";
import { ORDER_PLANTS, PLANTS } from "./model/plants.ts";
import { NAMED_TESTS, PLANTED_SEEDS_MAX } from "./planted-mistakes.ts";
import { describeFailure, search } from "./search.ts";
import type { History } from "./model/steps.ts";

/** The sound system must survive every seed. Each planted mistake must be found. */
const SOUND_SEEDS = 1_000;
const DEAF_SEEDS = 300;
/** Limit of a readable history. */
const STEPS_MAX = 8;

describe("simulated histories of the whole system", () => {
  it(`are sound for ${SOUND_SEEDS} seeds`, { timeout: 200_000 }, async () => {
    const failure = await search(1, SOUND_SEEDS);
    assert.equal(failure === undefined ? "" : describeFailure(failure), "");
  });

  it(
    "are sound if no owner answers a ping: two rival nodes stop taking over from each other",
    { timeout: 100_000 },
    async () => {
      const failure = await search(20_001, DEAF_SEEDS, { deafToPings: true });
      assert.equal(failure === undefined ? "" : describeFailure(failure), "");
    },
  );

  /** Failures that longer searches found. Their causes are fixed. */
  const FOUND: Record<string, History> = {
    "an availability copy stayed outdated after a sale with a lost answer": {
      seed: 612_095,
      totals: [3, 1],
      startsAtMs: null,
      skewMs: 0,
      lossPercent: 1,
      latePercent: 2,
      faults: [],
      demands: [
        { type: "cancel", atMs: 104, customer: 4, nth: 0, twice: false },
        { type: "buy", atMs: 0, customer: 4, event: 0, key: 0, quantity: 1, twice: false },
        { type: "buy", atMs: 1_019, customer: 0, event: 0, key: 0, quantity: 3, twice: false },
      ],
    },
    "retried quarantined rows were booked in parts that broke the CHECK": {
      seed: 0,
      totals: [2, 1],
      startsAtMs: null,
      skewMs: 0,
      lossPercent: 0,
      latePercent: 0,
      demands: [
        { type: "buy", atMs: 0, customer: 0, event: 0, key: 0, quantity: 1, twice: false },
        { type: "buy", atMs: 0, customer: 1, event: 0, key: 0, quantity: 1, twice: false },
        { type: "cancel", atMs: 1_054, customer: 0, nth: 0, twice: false },
        { type: "buy", atMs: 0, customer: 0, event: 0, key: 1, quantity: 1, twice: false },
      ],
      faults: [
        { type: "refuse-booking", atMs: 148, event: 0, forMs: 1_202 },
        { type: "freeze", atMs: 0, node: 1, forMs: 2_399 },
        { type: "hide", atMs: 0, viewer: 0, node: 0, forMs: 10 },
      ],
    },
  };
  for (const [mistake, history] of Object.entries(FOUND))
    it(`are sound where earlier ${mistake}`, async () => {
      assert.deepEqual(await play(history), []);
    });

  for (const [mistake, plant] of Object.entries(PLANTS))
    it(`find ${mistake}`, { timeout: 120_000 }, async () => {
      assert.notEqual(
        await search(plant.from ?? 1, PLANTED_SEEDS_MAX, plant, 0),
        undefined,
        `${PLANTED_SEEDS_MAX} histories showed no violation`,
      );
    });

  for (const [mistake, { file, test }] of Object.entries(NAMED_TESTS))
    it(`leave to a named test ${mistake}`, () => {
      assert.ok(readFileSync(join(ROOT, file), "utf8").includes(`it("${test}"`), test);
    });

  for (const [mistake, plant] of Object.entries(ORDER_PLANTS))
    it(`explain by the order of operations ${mistake}`, { timeout: 120_000 }, async () => {
      const failure = await search(plant.from ?? 1, PLANTED_SEEDS_MAX, plant, 0);
      const violations = failure?.violations ?? [];
      assert.ok(
        violations.some((text) => text.startsWith("I10: ")),
        violations.join("\n"),
      );
    });

  it(
    "are shrunk to a few steps that fail again, and only with the mistake",
    { timeout: 120_000 },
    async () => {
      const plant =
        PLANTS["a message acknowledged before its transactions are booked"] ??
        assert.fail("the planted mistake was renamed");
      const failure = await search(1, PLANTED_SEEDS_MAX, plant, 20_000);
      assert.ok(failure !== undefined);
      const { demands, faults } = failure.history;
      assert.ok(demands.length + faults.length <= STEPS_MAX, describeFailure(failure));
      const [, command] = /--history '(.*)'$/.exec(describeFailure(failure)) ?? [];
      const replayed = JSON.parse(command ?? "") as History;
      assert.deepEqual(await play(replayed, plant), failure.violations);
      assert.deepEqual(await play(replayed), []);
    },
  );
});
