import type { FaultResult } from "./run-fault.ts";

export type ChaosReport = {
  seed: number;
  /** Start of the run, ISO 8601. */
  began: string;
  minutes: number;
  /** Cores, memory and versions of the machine. */
  machine: string;
  /** Of the code that ran. A + says that files differed from it. */
  revision: string;
  faults: FaultResult[];
};

export function hasFailed({
  violations,
  missed,
}: Pick<FaultResult, "violations" | "missed">): boolean {
  return violations.length > 0 || missed.length > 0;
}

/** Row of one fault in the terminal and in docs/reliability.md. */
export function rowOf(result: FaultResult): Record<string, string> {
  const { measures, violations, missed, notes } = result;
  const broken = [...new Set(violations.map(({ invariant }) => invariant))].sort();
  const buys = measures.by.buy;
  return {
    fault: `${result.id} ${result.title}`,
    "good answers": `${percent(measures.all.percent)} of ${measures.all.answers}`,
    "purchases good": `${percent(buys.percent)} of ${buys.answers}`,
    "recovered after": `${measures.recoverySeconds.toFixed(1)} s`,
    "drained after": `${result.drainedSeconds.toFixed(1)} s`,
    invariants: broken.length > 0 ? `violated: ${broken.join(", ")}` : "ok",
    bounds: missed.length > 0 ? "missed" : "ok",
    // An error of a program may have lines.
    notes: notes.join("; ").replaceAll(/\s+/g, " "),
  };
}

/** Details below the table, for an investigation. */
export function detailsOf({ id, seed, measures, violations, missed }: FaultResult): string[] {
  const bad = Object.entries(measures.bad).map(([kind, count]) => `${count} × ${kind}`);
  return [
    ...(bad.length > 0
      ? [
          `${id}: bad answers: ${bad.join(", ")}; ` +
            `slowest answer ${Math.round(measures.slowestMs)} ms`,
        ]
      : []),
    ...missed.map((text) => `${id} MISSED (seed ${seed}): ${text}`),
    ...violations
      .slice(0, 10)
      .map(({ invariant, text }) => `${id} VIOLATED ${invariant} (seed ${seed}): ${text}`),
    ...(violations.length > 10
      ? [`${id}: and ${violations.length - 10} more violations, in the JSON file`]
      : []),
  ];
}

/** Rounds down, so that 100 % means all. */
function percent(value: number): string {
  return value === 100 ? "100 %" : `${(Math.floor(value * 100) / 100).toFixed(2)} %`;
}
