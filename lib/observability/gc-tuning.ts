import { setFlagsFromString } from "node:v8";

/**
 * Flags of node's command line: V8 sizes the young heap before any code runs. A larger young heap
 * needs fewer scavenges. See ADR: Garbage collector settings.
 */
export const HEAP_FLAGS = ["--max-semi-space-size=128"] as const;

/**
 * `--heap-growing-percent`: old-space growth before a major GC. Keeps the memory peak low. See ADR:
 * Garbage collector settings.
 */
const GROWING_PERCENT = 50;
/**
 * The same with many connections, whose memory makes each collection expensive. See ADR: Garbage
 * collector settings.
 */
const CROWDED_PERCENT = 150;
const CROWD = 2_000;

let percent: number | undefined;

/** Tunes the collector to the number of connections. Does nothing if the setting stays. */
export function tuneGc(connections: number): void {
  // Hysteresis: return at half the limit, so that the setting does not flap.
  const wanted =
    connections >= CROWD || (percent === CROWDED_PERCENT && connections >= CROWD / 2)
      ? CROWDED_PERCENT
      : GROWING_PERCENT;
  if (wanted === percent) return;
  percent = wanted;
  setFlagsFromString(`--heap-growing-percent=${wanted}`);
}
