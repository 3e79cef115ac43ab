import fc from "fast-check";
import { histories } from "./model/draw.ts";
import { play } from "./model/play.ts";
import { describeHistory, type History } from "./model/steps.ts";
import type { Plant } from "./model/world.ts";

/** A failing history and its violations. */
export type Failure = { seed: number; history: History; violations: string[] };

/**
 * Plays one history per seed and returns the first failing one, shrunk for at most
 * `shrinkWithinMs`. Undefined if all are sound.
 */
export async function search(
  from: number,
  seeds: number,
  plant: Plant = {},
  shrinkWithinMs = 20_000,
): Promise<Failure | undefined> {
  for (let seed = from; seed < from + seeds; seed++) {
    let deadlineMs = Infinity;
    let shortest: Failure | undefined;
    const holds = async (history: History): Promise<boolean> => {
      // Out of time: end the shrinking.
      if (performance.now() > deadlineMs) return true;
      const played = { ...history, ...plant.with?.(history) };
      const violations = await play(played, plant);
      if (violations.length === 0) return true;
      if (shortest === undefined) deadlineMs = performance.now() + shrinkWithinMs;
      shortest = { seed, history: played, violations };
      return false;
    };
    await fc.check(fc.asyncProperty(histories, holds), { seed, numRuns: 1, unbiased: true });
    if (shortest !== undefined) return shortest;
  }
  return undefined;
}

/** Prints the violations, the steps, and the command that plays them again. */
export function describeFailure({ seed, history, violations }: Failure): string {
  const command = `npx boxoffice simulate --history '${JSON.stringify(history)}'`;
  return [
    `seed ${seed}:`,
    ...violations.map((what) => `  ${what}`),
    "Shortest failing history:",
    describeHistory(history),
    "Replay it:",
    command,
  ].join("\n");
}
