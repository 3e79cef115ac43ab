import type { Environment } from "../../../config/index.ts";
import { purchases } from "../harness/browsers.ts";
import { sendAtOnce, measured } from "../harness/load.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes, startMeter } from "../harness/process-figures.ts";
import { noProxy, type Placed, tlsProxy } from "../harness/proxy.ts";
import { makeBuyers, newEvent, openSale, type Sale, startBenchEngine } from "../harness/sale.ts";
import { cachedSearch, type CachedSearchOptions } from "./cached-search.ts";

export type ProxyOptions = CachedSearchOptions & { buyers: number; servers: Processes };

const WARM_UP_SECONDS = 5;
const [STRAIGHT, PROXIED] = ["purchases, straight", "purchases behind nginx"] as const;

export const PROXY_BOUNDS: readonly Bound[] = [
  { of: /./, figure: "errors", most: 0 },
  { of: "cached search", figure: "more.share of node:http", least: 0.8 },
  { of: PROXIED, figure: "times.p99", most: 500 },
];

/**
 * Debian's nginx ends TLS before the engine: one popular search against node:http behind the same
 * nginx, and purchases of one event with and without it.
 */
export async function proxy(
  environment: Environment,
  options: ProxyOptions,
): Promise<Measurement[]> {
  const searches = await cachedSearch(environment, options, tlsProxy);
  const sale = openSale(environment, options.folder);
  try {
    const tokens = await makeBuyers(sale, options.buyers);
    const sales: Measurement[] = [];
    for (const [name, placed] of [
      [STRAIGHT, noProxy],
      [PROXIED, tlsProxy],
    ] as const) {
      options.report(name);
      sales.push(await buyThrough(sale, name, placed, tokens, options));
    }
    return [...searches, ...sales];
  } finally {
    await sale.database.close();
  }
}

async function buyThrough(
  sale: Sale,
  name: string,
  placed: Placed,
  tokens: readonly string[],
  { seconds, servers }: ProxyOptions,
): Promise<Measurement> {
  const asks = purchases([await newEvent(sale.database)], tokens);
  const engine = await startBenchEngine(sale);
  try {
    const between = await placed([engine.url]);
    try {
      const load = { url: between.urls[0] ?? "", asks, connections: tokens.length };
      await sendAtOnce({ ...load, seconds: WARM_UP_SECONDS });
      const meter = startMeter({
        engine: engine.process.pid ?? 0,
        ...between.processes,
        ...servers,
        ...LOAD,
      });
      const result = await sendAtOnce({ ...load, seconds });
      return { name, role: "ours", ...measured("sale", result), ...meter(result.answers) };
    } finally {
      await between.stop();
    }
  } finally {
    await engine.stop();
  }
}
