import { setFlagsFromString } from "node:v8";

/**
 * Flags for Node's command line: V8 lays out the young heap before any code runs. Waiting requests
 * live for tenths of a second, and each scavenge copies them. A larger young heap needs fewer
 * scavenges, which take longer: with 128 MB a tenth of a second and more. See ADR-0088.
 */
export const HEAP_FLAGS = ["--max-semi-space-size=32"] as const;

/**
 * Garbage allowed on the old heap, in percent of live data. V8's default grows with the machine's
 * memory.
 */
const GROWING_PERCENT = 50;
/**
 * With thousands of connections much more data is live, and collecting at 50 % takes a large share
 * of the gateway's thread.
 */
const CROWDED_PERCENT = 150;
const CROWD = 2_000;

let percent: number | undefined;

/** Tunes the garbage collector to this number of connections. Free if nothing changes. */
export function tuneGc(connections: number): void {
  // Hysteresis: go back only at half of it, so that a crowd of about that size does not toggle the
  // setting.
  const wanted =
    connections >= CROWD || (percent === CROWDED_PERCENT && connections >= CROWD / 2)
      ? CROWDED_PERCENT
      : GROWING_PERCENT;
  if (wanted === percent) return;
  percent = wanted;
  setFlagsFromString(`--heap-growing-percent=${wanted}`);
}
