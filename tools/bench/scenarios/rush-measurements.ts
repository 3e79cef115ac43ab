import type { Bound, Measurement } from "../harness/measurement.ts";
import type { RushResult } from "./rush.ts";

/** All served with 200 and 201, p99 within half a second, nearly all searches from caches. */
export const RUSH_BOUNDS: readonly Bound[] = [
  { of: /^once a second/, figure: "errors", most: 0 },
  { of: /^once a second/, figure: "times.p99", most: 500 },
  { of: /^once a second/, figure: "more.fewest answers of one", least: 1 },
  { of: "once a second: search", figure: "hits.redis", least: 0.9 },
  { of: "once a second: search", figure: "hits.all layers", least: 0.99 },
];

/**
 * Converts a rush into measurements. The engine's CPU is divided by all answers, because searches
 * and purchases cannot be told apart.
 */
export function rushMeasurements(results: readonly RushResult[]): Measurement[] {
  return results.flatMap(({ pace, seconds, groups, layers, engineCpuMs, peakMemoryMb, cpuMs }) => {
    const answers = groups.reduce((sum, { times }) => sum + times.count, 0);
    return groups.map(({ name, times, statuses, broken, fewest }): Measurement => {
      const good = (statuses["200"] ?? 0) + (statuses["201"] ?? 0);
      return {
        name: `${pace}: ${name}`,
        role: "ours",
        operation: name,
        operations: times.count,
        seconds,
        perSecond: times.count / seconds,
        times,
        errors: times.count - good + broken,
        cpuMs: { engine: engineCpuMs / answers, load: cpuMs / answers },
        peakMb: { engine: peakMemoryMb },
        ...(name === "search" ? { hits: hitsOf(layers) } : {}),
        more: { "fewest answers of one": fewest },
        note: `statuses ${JSON.stringify(statuses)}, ${broken} connections ended`,
      };
    });
  });
}

/** `redis`: share of the searches that the gateway did not answer. */
function hitsOf({ gateway, catalog }: RushResult["layers"]): Record<string, number> {
  const asked = Math.max(1, gateway.hits + gateway.misses);
  const passedOn = Math.max(1, catalog.hits + catalog.misses);
  return {
    gateway: gateway.hits / asked,
    redis: catalog.hits / passedOn,
    "all layers": 1 - catalog.misses / asked,
  };
}
