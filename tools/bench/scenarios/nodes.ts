import type { Environment } from "../../../config/index.ts";
import type { Histogram } from "../harness/histogram.ts";
import { purchases } from "../harness/browsers.ts";
import {
  engineCpuMs,
  type Layout,
  LAYOUTS,
  ONE_OF_EACH,
  ONE_PROCESS,
  startLayout,
} from "../harness/layouts.ts";
import { type LoadResult, sendAtOnce, timesOf } from "../harness/load.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes, startMeter } from "../harness/process-figures.ts";
import { drained, makeBuyers, newEvent, openSale, type Sale } from "../harness/sale.ts";

const EVENT_COUNTS = [1, 8, 1_000];
const PLACES = 50_000_000;
const WARM_UP_SECONDS = 3;

const SHARE = "more.sales ÷ one process's";
const CPU = "more.CPU ms ÷ one process's";
const ONE_EACH = `${ONE_OF_EACH}, one event`;
const TWO_EACH = "two gateways, two purchasing nodes, 8 events";

/** Processes share the machine's cores: sales and CPU are compared with one process's. */
export const NODES_BOUNDS: readonly Bound[] = [
  { of: /./, figure: "errors", most: 0 },
  { of: ONE_EACH, figure: SHARE, least: 0.85 },
  { of: ONE_EACH, figure: CPU, most: 1.3 },
  { of: ONE_EACH, figure: "times.p99", most: 500 },
  { of: TWO_EACH, figure: SHARE, least: 0.75 },
  { of: TWO_EACH, figure: CPU, most: 1.5 },
];

type Options = {
  buyers: number;
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

/**
 * Sells one event, eight and a thousand by the engine in one process, by one process of each
 * service, and by two and four gateways and purchasing nodes, on the same servers in turn. With
 * fewer cores than processes it shows the cost of distribution, not its gain.
 */
export async function nodes(environment: Environment, options: Options): Promise<Measurement[]> {
  const sale = openSale(environment, options.folder);
  try {
    const tokens = await makeBuyers(sale, options.buyers);
    const results: Measurement[] = [];
    for (const layout of [ONE_PROCESS, ...Object.keys(LAYOUTS)]) {
      const engine = await startLayout(sale, layout, options);
      try {
        for (const events of EVENT_COUNTS) {
          const name = `${layout}, ${events === 1 ? "one event" : `${events.toLocaleString("en")} events`}`;
          options.report(name);
          const one = await sell(sale, engine, { ...options, name, events, tokens });
          results.push(compared(one, results[EVENT_COUNTS.indexOf(events)]));
        }
      } finally {
        await engine.stop();
      }
    }
    return results;
  } finally {
    await sale.database.close();
  }
}

async function sell(
  { database }: Sale,
  engine: Layout,
  options: Options & { name: string; events: number; tokens: readonly string[] },
): Promise<Measurement> {
  const { name, events, tokens, seconds, servers } = options;
  const { urls, processes } = engine;
  const ids = await Promise.all(Array.from({ length: events }, () => newEvent(database, PLACES)));
  const asks = purchases(ids, tokens);
  const loads = urls.map((url, index) => {
    const own = asks.filter((_ask, at) => at % urls.length === index);
    return { url, asks: own, connections: own.length };
  });
  const buy = (forSeconds: number) =>
    Promise.all(loads.map((load) => sendAtOnce({ ...load, seconds: forSeconds })));
  await buy(WARM_UP_SECONDS);
  const meter = startMeter({ ...processes, ...servers, ...LOAD });
  const results = await buy(seconds);
  const sold = results.reduce((sum, one) => sum + one.answers - one.refused, 0);
  const slowest = Math.max(...results.map((one) => one.seconds));
  await drained(database, ids);
  const figures = meter(sold);
  return {
    name,
    role: "ours",
    operation: "sale",
    operations: sold,
    seconds: slowest,
    perSecond: sold / slowest,
    times: worstOf(results),
    errors: results.reduce((sum, one) => sum + one.refused + one.failed, 0),
    ...figures,
    more: { "CPU ms of the engine": engineCpuMs(engine, figures.cpuMs) },
  };
}

/** Adds the figures that the bounds compare; `one`: the same sale by one process. */
function compared(result: Measurement, one: Measurement = result): Measurement {
  const cpuOf = ({ more }: Measurement): number => more?.["CPU ms of the engine"] ?? Number.NaN;
  return {
    ...result,
    more: {
      ...result.more,
      "sales ÷ one process's": result.perSecond / one.perSecond,
      "CPU ms ÷ one process's": cpuOf(result) / cpuOf(one),
    },
  };
}

/** The slower of several generators, figure by figure. */
function worstOf(results: readonly LoadResult[]): Histogram {
  const times = results.map(timesOf);
  const most = (figure: keyof Histogram): number => Math.max(...times.map((one) => one[figure]));
  const count = times.reduce((sum, one) => sum + one.count, 0);
  return {
    count,
    p50: most("p50"),
    p95: most("p95"),
    p99: most("p99"),
    p999: most("p999"),
    max: most("max"),
  };
}
