// The benchmark of sign-ins says no where a bound is passed, and its searches are late when they had to wait for their turn.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { atRate, percentile } from "../bench/arrivals.ts";
import { type SignInsResult, signInFaults } from "../bench/sign-ins.ts";

const GOOD: SignInsResult = {
  round: "r",
  people: 200,
  judged: 50,
  turnedAway: 150,
  wrong: [],
  allWithinMs: 3_000,
  signInMs: { p50: 900, p99: 2_900 },
  searches: 1_000,
  searchMs: { p50: 5, p99: 499, max: 700 },
  peakMemoryMb: 599,
  cpuShare: 0.5,
};

describe("the benchmark of sign-ins", () => {
  it("fails above its bounds and for every answer that is neither one nor a throttle", () => {
    assert.deepEqual(signInFaults(GOOD), []);
    assert.deepEqual(signInFaults({ ...GOOD, peakMemoryMb: 600 }), ["r: the node held 600 MB, of 600"]);
    assert.deepEqual(signInFaults({ ...GOOD, searchMs: { p50: 5, p99: 500, max: 700 } }), ["r: searches' p99 was 500 ms, of 500"]);
    assert.deepEqual(signInFaults({ ...GOOD, judged: 0 }), ["r: no password was judged"]);
    assert.deepEqual(signInFaults({ ...GOOD, people: 0, judged: 0 }), []);
    assert.deepEqual(signInFaults({ ...GOOD, wrong: ["a sign-in was answered 500"] }), ["r: a sign-in was answered 500"]);
  });

  it("counts a stall for everybody who would have come in it", async () => {
    let sent = 0;
    const late = await atRate(
      100,
      () => sent >= 8,
      (number, dueMs) => {
        sent += 1;
        const began = performance.now();
        while (number === 0 && performance.now() - began < 100);
        return Promise.resolve(performance.now() - dueMs);
      },
    );
    assert.ok(late.length === 8 && late.every((ms) => ms > 20), late.join(", "));
  });

  it("takes the smallest value that so many do not exceed", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(
      [0.5, 0.99, 1].map((share) => percentile(hundred, share)),
      [50, 99, 100],
    );
    assert.ok(Number.isNaN(percentile([], 0.5)));
  });
});
