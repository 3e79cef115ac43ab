import fc from "fast-check";
import { histories } from "./draw.ts";
import { play } from "./play.ts";
import { describeHistory, type History } from "./steps.ts";
import type { Plant } from "./world.ts";

/** The history that a seed stands for. */
export type Failure = { seed: number; history: History; wrong: string[] };

/**
 * Plays the histories of the seeds from `from` on and answers the first that fails, made as short as `shrinkWithinMs` allows; undefined when all are
 * sound.
 */
export async function search(
  from: number,
  seeds: number,
  plant: Plant = {},
  shrinkWithinMs = 20_000,
): Promise<Failure | undefined> {
  for (let seed = from; seed < from + seeds; seed++) {
    let until = Infinity;
    let shortest: Failure | undefined;
    const holds = async (history: History): Promise<boolean> => {
      // Out of time: nothing shorter is looked for.
      if (performance.now() > until) return true;
      const wrong = await play(history, plant);
      if (wrong.length === 0) return true;
      if (shortest === undefined) until = performance.now() + shrinkWithinMs;
      shortest = { seed, history, wrong };
      return false;
    };
    await fc.check(fc.asyncProperty(histories, holds), { seed, numRuns: 1, unbiased: true });
    if (shortest !== undefined) return shortest;
  }
  return undefined;
}

/** What went wrong, the steps that lead there, and the line that plays them again. */
export function describeFailure({ seed, history, wrong }: Failure): string {
  const line = `npx boxoffice simulate --history '${JSON.stringify(history)}'`;
  return [
    `seed ${seed}:`,
    ...wrong.map((what) => `  ${what}`),
    "The shortest history found:",
    describeHistory(history),
    "Play it again:",
    line,
  ].join("\n");
}
