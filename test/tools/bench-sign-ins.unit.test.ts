import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Asked, atRate } from "../../tools/bench/harness/arrivals.ts";
import { faultsOf } from "../../tools/bench/harness/measurement.ts";
import { SIGN_IN_BOUNDS, summed } from "../../tools/bench/scenarios/sign-ins.ts";

const answers = (count: number, status: number, ms: number, retryAfter = false): Asked[] =>
  Array.from({ length: count }, () => ({ status, ms, retryAfter }));

describe("the benchmark of sign-ins", () => {
  it("fails above its bounds and for every answer that is neither a sign-in nor a throttle", () => {
    const round = { round: "right passwords", judged: 200 } as const;
    const faults = (signIns: Asked[], searches: Asked[], memoryMb = 599): string[] =>
      faultsOf(
        [{ ...summed(round, signIns, searches, 10), cpuMs: {}, peakMb: { engine: memoryMb } }],
        SIGN_IN_BOUNDS,
      );
    const good = [...answers(50, 200, 900), ...answers(150, 429, 20, true)];
    assert.deepEqual(faults(good, answers(1_000, 200, 499)), []);
    assert.deepEqual(faults(good, answers(1_000, 200, 501)), [
      "right passwords: times.p99 is 501, of 500 at most",
    ]);
    assert.deepEqual(faults(good, answers(1_000, 200, 5), 601), [
      "right passwords: peakMb.engine is 601, of 600 at most",
    ]);
    assert.deepEqual(faults(answers(200, 429, 5, true), answers(9, 200, 5)), [
      "right passwords: more.judged is 0, of 1 at least",
    ]);
    for (const bad of [answers(1, 429, 5), answers(1, 500, 5, true), answers(1, 401, 5)])
      assert.deepEqual(faults([...good, ...bad], answers(9, 200, 5)), [
        "right passwords: errors is 1, of 0 at most",
      ]);
    assert.deepEqual(faults(good, [...answers(9, 200, 5), ...answers(1, 503, 5, true)]), [
      "right passwords: errors is 1, of 0 at most",
    ]);
  });

  it("counts a stall for every request that was due during it", async () => {
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
});
