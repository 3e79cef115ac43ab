import { cpuSeconds, limitCpu } from "../../../process/cpu-quota.ts";
import type { Fault } from "../../fault.ts";
import { isGood } from "../../load/journal.ts";

const SLOW_S = 60;
const CORES = 0.25;
const USUAL_S = 6;
const NORMAL_WITHIN_S = 5;
/** Of what a quarter of a core can do at the usual cost of an answer. */
const RATE_SHARE = 0.5;
/** Time without any good answer. */
const GAP_MAX_MS = 2_500;
const NORMAL_SHARE = 0.8;

/**
 * All nodes together get a quarter of a core. Fewer answers are good, in proportion, and there is
 * no time in which none is.
 */
export const fault: Fault = {
  id: "F25",
  title: `slow machine: ${CORES} cores for the engine for ${SLOW_S} s`,
  async run({ cluster, market, phase, forSeconds, mark, expect, note }) {
    const pids = cluster.nodes.flatMap(({ pid }) => pid ?? []);
    const { entries } = market.journal;
    const during = async (seconds: number) => {
      const [fromMs, fromCpu] = [performance.now(), cpuSeconds(pids)];
      await forSeconds(seconds);
      const tookMs = performance.now() - fromMs;
      const good = entries.filter((entry) => entry.ended >= fromMs && isGood(entry));
      let [lastMs, gapMs] = [fromMs, 0];
      for (const { ended } of good) {
        gapMs = Math.max(gapMs, ended - lastMs);
        lastMs = ended;
      }
      return {
        rate: (1_000 * good.length) / tookMs,
        cores: (1_000 * (cpuSeconds(pids) - fromCpu)) / tookMs,
        gapMs: Math.max(gapMs, fromMs + tookMs - lastMs),
      };
    };
    const usual = await during(USUAL_S);
    const release = limitCpu(pids, CORES);
    const slow = await phase("a quarter of a core", () => during(SLOW_S)).finally(release);
    mark();
    const again = await phase("the usual again", async () => {
      await forSeconds(NORMAL_WITHIN_S);
      return during(USUAL_S);
    });
    const possible = usual.rate * Math.min(1, CORES / usual.cores);
    const per = (rate: number): string => rate.toFixed(0);
    note(
      `good answers per second: ${per(usual.rate)} with ${usual.cores.toFixed(2)} cores, ` +
        `${per(slow.rate)} with ${slow.cores.toFixed(2)}, ${per(again.rate)} afterwards; ` +
        `never longer than ${Math.round(slow.gapMs)} ms without one`,
    );
    expect(slow.cores < 1.2 * CORES, `the engine had ${slow.cores.toFixed(2)} cores`);
    expect(
      slow.rate >= RATE_SHARE * possible,
      `${slow.rate.toFixed(1)} good answers per second; a quarter of a core can give ${possible.toFixed(1)}`,
    );
    expect(slow.gapMs <= GAP_MAX_MS, `no good answer for ${Math.round(slow.gapMs)} ms`);
    expect(
      again.rate >= NORMAL_SHARE * usual.rate,
      `${again.rate.toFixed(0)} good answers per second afterwards, ${usual.rate.toFixed(0)} before`,
    );
  },
  bounds: ({ recoverySeconds }) =>
    recoverySeconds <= NORMAL_WITHIN_S
      ? []
      : [`normal again after ${recoverySeconds.toFixed(1)} s instead of ${NORMAL_WITHIN_S}`],
};
