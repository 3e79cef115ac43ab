import type { Bound, Measurement } from "../harness/measurement.ts";
import type { Layers } from "../harness/sale.ts";
import type { RushResult } from "./rush.ts";

const DEPLOYED = "one of each, once a second";
const CPU = "more.CPU ms of the engine";

/**
 * All served with 200 and 201. The layout that README recommends: p99 within 300 ms, and 600 ms
 * without think time. One process: within half a second, nearly all searches from caches.
 */
export const RUSH_BOUNDS: readonly Bound[] = [
  { of: /once a second/, figure: "errors", most: 0 },
  { of: /once a second/, figure: "more.fewest answers of one", least: 1 },
  { of: new RegExp(`^${DEPLOYED}`), figure: "times.p99", most: 300 },
  { of: `${DEPLOYED}: search`, figure: CPU, most: 0.075 },
  { of: /^one of each, without think time/, figure: "times.p99", most: 600 },
  { of: /^one process, once a second/, figure: "times.p99", most: 500 },
  { of: "one process, once a second: search", figure: "hits.redis", least: 0.9 },
  { of: "one process, once a second: search", figure: "hits.all layers", least: 0.99 },
];

/**
 * Converts a rush into measurements. The engine's CPU is divided by all answers, because searches
 * and purchases cannot be told apart.
 */
export function rushMeasurements(results: readonly RushResult[]): Measurement[] {
  return results.flatMap(({ layout, pace, seconds, groups, layers, figures, engineCpuMs }) =>
    groups.map(({ name, times, statuses, broken, fewest }): Measurement => {
      const good = (statuses["200"] ?? 0) + (statuses["201"] ?? 0);
      return {
        name: `${layout}, ${pace}: ${name}`,
        role: "ours",
        operation: name,
        operations: times.count,
        seconds,
        perSecond: times.count / seconds,
        times,
        errors: times.count - good + broken,
        ...figures,
        ...(name === "search" && layers !== undefined ? { hits: hitsOf(layers) } : {}),
        more: {
          "CPU ms of the engine": engineCpuMs,
          "fewest answers of one": fewest,
        },
        note: `statuses ${JSON.stringify(statuses)}, ${broken} connections ended`,
      };
    }),
  );
}

/** `redis`: share of the searches that the gateway did not answer. */
function hitsOf({ gateway, catalog }: Layers): Record<string, number> {
  const asked = Math.max(1, gateway.hits + gateway.misses);
  const passedOn = Math.max(1, catalog.hits + catalog.misses);
  return {
    gateway: gateway.hits / asked,
    redis: catalog.hits / passedOn,
    "all layers": 1 - catalog.misses / asked,
  };
}
