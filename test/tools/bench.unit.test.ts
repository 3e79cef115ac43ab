import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ratiosOf, worseIn } from "../../tools/bench/report/compare-revisions.ts";
import { benchArguments } from "../../tools/bench/arguments.ts";
import { Times } from "../../tools/bench/harness/histogram.ts";
import {
  faultsOf,
  type Measurement,
  median,
  medians,
  short,
} from "../../tools/bench/harness/measurement.ts";
import { barChart, curveChart, timesChart } from "../../tools/bench/report/plots.ts";
import { SCENARIOS } from "../../tools/bench/scenarios.ts";
import { markdownOf } from "../../tools/bench/report/table.ts";

const measured = (name: string, perSecond: number, p99 = 5): Measurement => ({
  name,
  role: "ours",
  operation: "sale",
  operations: perSecond,
  seconds: 1,
  perSecond,
  errors: 0,
  times: { count: perSecond, p50: 1, p95: 4, p99, p999: p99 + 1, max: p99 + 2 },
  cpuMs: { engine: 100 / perSecond },
  peakMb: { engine: 100 },
  hits: { gateway: 0.5 },
});

describe("a benchmark", () => {
  it("computes percentiles of times", () => {
    const times = new Times();
    for (let ms = 100; ms >= 1; ms -= 1) times.add(ms);
    assert.deepEqual(times.summary(), {
      count: 100,
      p50: 50,
      p95: 95,
      p99: 99,
      p999: 100,
      max: 100,
    });
    assert.equal(new Times().summary().p99, 0);
  });

  it("computes the median of every figure of its runs, without figures that a run lacks", () => {
    const runs = [
      [measured("a", 100, 9), measured("b", 1)],
      [measured("a", 300, 7)],
      [measured("a", 200, 8), measured("b", 1)],
    ];
    const [only, ...others] = medians(runs);
    assert.deepEqual(others, []);
    assert.deepEqual(only, { ...measured("a", 200, 8) });
    assert.equal(median([1, 2]), 1.5);
  });

  it("fails if a figure is beyond its bound or was not measured", () => {
    const all = [measured("a", 100), measured("b", 50)];
    assert.deepEqual(faultsOf(all, [{ of: "a", figure: "perSecond", least: 100 }]), []);
    assert.deepEqual(faultsOf(all, [{ of: /./, figure: "perSecond", least: 100 }]), [
      "b: perSecond is 50, of 100 at least",
    ]);
    assert.deepEqual(faultsOf(all, [{ of: "b", figure: "times.p99", most: 4.5 }]), [
      "b: times.p99 is 5, of 4.5 at most",
    ]);
    assert.deepEqual(faultsOf(all, [{ of: "c", figure: "errors", most: 0 }]), [
      "c was not measured",
    ]);
    assert.deepEqual(faultsOf(all, [{ of: "c", figure: "errors", most: 0, ifMeasured: true }]), []);
    assert.deepEqual(faultsOf(all, [{ of: "a", figure: "more.sales", least: 1 }]), [
      "a: more.sales was not measured",
    ]);
    for (const [name, { bounds }] of Object.entries(SCENARIOS))
      assert.ok(faultsOf([], bounds).length > 0, `${name} can fail`);
  });

  it("calls a revision worse if it is worse in every pair", () => {
    const pair = (current: number, earlier: number) => ({
      current: [measured("a", current)],
      earlier: [measured("a", earlier)],
    });
    const worse = worseIn(ratiosOf([pair(80, 100), pair(85, 100), pair(70, 90)]));
    assert.deepEqual(
      worse.map((line) => line.split(" is ")[0]),
      ["a: perSecond", "a: cpuMs.engine"],
    );
    assert.deepEqual(worseIn(ratiosOf([pair(80, 100), pair(99, 100), pair(70, 90)])), []);
    assert.deepEqual(ratiosOf([{ current: [measured("new", 1)], earlier: [] }]), []);
  });

  it("completes the options of its command line", () => {
    const options = { seconds: 3, buyers: 1, looking: 1, watching: 1 };
    const hot = benchArguments("hot-event", { ...options, only: ["worker", "row-lock"] });
    assert.deepEqual([hot.seconds, hot.runs, hot.contenders.length], [3, 1, 2]);
    const against = benchArguments("rush", { ...options, against: "main~3" });
    assert.deepEqual([against.runs, against.against], [3, "main~3"]);
  });

  it("draws every measurement into plots and tables", () => {
    const all = [
      measured("a < b", 100),
      { ...measured("c", 50), role: "floor" as const, against: "a < b" },
    ];
    const spreads = all.map(({ name, role, times }) => ({
      label: name,
      role,
      p50: 1,
      p95: 2,
      p99: times?.p99 ?? 0,
      p999: 9,
    }));
    const plots = [
      barChart(
        "bars",
        all.map(({ name, perSecond, role }) => ({ label: name, value: perSecond, role })),
        { value: 120, label: "promised" },
      ),
      timesChart("times", spreads, { value: 500, label: "promised" }),
      curveChart(
        "curve",
        "sizes",
        all.map(({ name, role }) => ({
          label: name,
          role,
          points: [
            [1, 2],
            [1_000, 3],
          ],
        })),
      ),
    ];
    for (const plot of plots) {
      assert.match(plot, /^<svg .*<\/svg>\n$/s);
      assert.ok(
        plot.includes("a &lt; b") && plot.includes(">c<") && !/NaN|undefined|Infinity/.test(plot),
        plot,
      );
      assert.ok(plot.includes("prefers-color-scheme: dark"));
    }
    assert.match(markdownOf(all), /\| c \| 50 sales \|.*\| 2 \|/);
    assert.equal(short(1_234.5), "1,235");
  });
});
