import { setFlagsFromString } from "node:v8";

/**
 * For node's command line, since V8 lays out the young heap before any code runs. What waits for an answer lives for tenths of a second, and each scavenge
 * copies all of it: with 128 MB in place of 64 there are half as many. ARCHITECTURE.md says what that is worth, and what it takes.
 */
export const HEAP_FLAGS = ["--max-semi-space-size=128"] as const;

/**
 * How much garbage V8 lets pile up on the old heap, in per cent of what lives. By default it grows with the machine's memory: a rush of 7,000
 * purchases a second then peaked at 520 MB of which 60 MB lived; with 50 at under 400 MB, for some 5 % more CPU a sale (npx boxoffice bench hot-event).
 */
const GROWING_PERCENT = 50;
/**
 * Ten thousand connections are 250 MB that live, and whoever waits a moment is promoted with them: the collector took a sixth of the gateway's thread in
 * a backlog of a second, which did not drain any more. With 150 one run came out of the warm-up without one; another spent a seventh. The peak went from 555
 * to between 594 and 659 MB (npx boxoffice bench rush).
 */
const CROWDED_PERCENT = 150;
const CROWD = 2_000;

let percent: number | undefined;

/** Fits the collector to so many connections of this process. Costs nothing where that changes nothing. */
export function tuneGc(connections: number): void {
  // Half of it to go back, so that a crowd of about that size does not change it with each who comes and goes.
  const wanted =
    connections >= CROWD || (percent === CROWDED_PERCENT && connections >= CROWD / 2)
      ? CROWDED_PERCENT
      : GROWING_PERCENT;
  if (wanted === percent) return;
  percent = wanted;
  setFlagsFromString(`--heap-growing-percent=${wanted}`);
}
