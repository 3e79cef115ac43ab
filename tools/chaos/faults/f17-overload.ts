import { answersBegun } from "../checks/good-answers.ts";
import type { Fault } from "../fault.ts";
import { flood } from "../load/clients.ts";

const OVERLOAD_S = 30;
const NORMAL_WITHIN_S = 30;
/** Twenty times the usual number of clients, without think time. */
const CLIENTS = 240;

/**
 * Sends more requests than workers with small mailboxes can serve. Workers refuse at once, no
 * request hangs, and the engine recovers.
 */
export const fault: Fault = {
  id: "F17",
  title: `${CLIENTS} clients without think time for ${OVERLOAD_S} s`,
  hotCapacity: 20_000,
  async prepare({ cluster, restartWith }) {
    for (const { name } of cluster.of("purchasing"))
      await restartWith(name, { MAILBOX_MAX: "40", BATCH_MAX: "10" });
  },
  async run(context) {
    const { market, phase, forSeconds, mark, expect, note } = context;
    const usualMs = performance.now();
    await forSeconds(3);
    const usual = answersBegun(market.journal.entries, usualMs, Infinity).all.good / 3;
    const beganMs = performance.now();
    await phase("overload", () => flood(context, CLIENTS, () => forSeconds(OVERLOAD_S)));
    mark();
    await phase("the usual again", () => forSeconds(6));
    const { all, bad, slowestMs } = answersBegun(
      market.journal.entries,
      beganMs,
      beganMs + OVERLOAD_S * 1_000,
    );
    const rate = all.good / OVERLOAD_S;
    expect(
      rate >= usual,
      `overload: ${rate.toFixed(0)} good answers per second, usually ${usual.toFixed(0)}`,
    );
    expect(
      (bad["buy 503 TRY_AGAIN"] ?? 0) > 0,
      "no purchase was answered TRY_AGAIN: it was no overload",
    );
    const unclean = Object.keys(bad).filter((kind) => !kind.endsWith(" 503 TRY_AGAIN"));
    expect(unclean.length === 0, `overload: other bad answers: ${unclean.join(", ")}`);
    note(
      `${(all.answers / OVERLOAD_S).toFixed(0)} answers per second, ` +
        `${rate.toFixed(0)} of them good (${usual.toFixed(0)} before), ` +
        `slowest ${Math.round(slowestMs)} ms`,
    );
  },
  bounds: ({ recoverySeconds }) =>
    recoverySeconds <= NORMAL_WITHIN_S
      ? []
      : [`normal again after ${recoverySeconds.toFixed(1)} s instead of ${NORMAL_WITHIN_S}`],
};
