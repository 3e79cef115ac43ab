import type { Environment } from "../../../config/index.ts";
import { limitCpu } from "../../process/cpu-quota.ts";
import { purchases } from "../harness/browsers.ts";
import { type GroupResult, sendMetered } from "../harness/crowd.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { sendAtOnce } from "../harness/load.ts";
import { LOAD, type Processes } from "../harness/process-figures.ts";
import {
  makeBuyers,
  newEvent,
  openSale,
  type Sale,
  settled,
  startBenchEngine,
  ticketsOf,
} from "../harness/sale.ts";

export type ScarceOptions = {
  buyers: number;
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

/** How buyers come: as soon as they are answered, or at a fixed rate in all. */
type Coming = { warmUpSeconds: number; seconds: number; perSecond?: number };

const OVERLOAD = 10;
/** Leaves the generator enough of two cores for ten times what the engine can do. */
const OVERLOAD_CORES = 0.3;
const RECOVERY_S = 2;
const WARM_UP_SECONDS = 6;
/** A crowd's connections open meanwhile. */
const ARRIVAL_SECONDS = 4;
/** After the overload, half of the capacity comes. */
const USUAL_SHARE = 0.5;
const [CAPACITY, OVERLOADED, AFTER] = ["capacity", "overload", "afterwards"] as const;
const [WHOLE, QUARTER] = ["one core", "a quarter of a core"] as const;

export const OVERLOAD_BOUNDS: readonly Bound[] = [
  { of: OVERLOADED, figure: "more.good ÷ capacity", least: 0.8 },
  { of: OVERLOADED, figure: "times.p99", most: 1_000 },
  { of: OVERLOADED, figure: "errors", most: 0 },
  { of: AFTER, figure: "errors", most: 0 },
  { of: AFTER, figure: "times.p99", most: 500 },
];

/** A quarter of the core gives a quarter of the sales, within the noise of a short run. */
export const QUARTER_CORE_BOUNDS: readonly Bound[] = [
  { of: QUARTER, figure: "more.good ÷ one core's", least: 0.2 },
];

/**
 * Ten times as many purchases a second as the engine can do are due, for `seconds`. A buyer asks
 * once at a time, so that what is sent depends on how soon the engine answers. Times are those of
 * sales; purchases that the engine turns away with a 503 and Retry-After are counted apart. What
 * comes two seconds after the overload must be served as usual.
 */
export function overload(environment: Environment, options: ScarceOptions): Promise<Measurement[]> {
  const { seconds, report } = options;
  return withBuyers(environment, options, (buy) =>
    withEngine(buy, OVERLOAD_CORES, async (come) => {
      report("capacity: each buyer buys again when answered");
      const capacity = await come(CAPACITY, { warmUpSeconds: ARRIVAL_SECONDS, seconds: 10 });
      const most = capacity.perSecond;
      report(`overload: ${Math.round(OVERLOAD * most)} purchases a second for ${seconds} s`);
      const over = await come(OVERLOADED, {
        warmUpSeconds: 1,
        seconds,
        perSecond: OVERLOAD * most,
      });
      report(`afterwards: ${Math.round(USUAL_SHARE * most)} purchases a second`);
      const after = await come(AFTER, {
        warmUpSeconds: RECOVERY_S,
        seconds: 5,
        perSecond: USUAL_SHARE * most,
      });
      return [
        capacity,
        { ...over, more: { ...over.more, "good ÷ capacity": over.perSecond / most } },
        { ...after, errors: after.errors + (after.more?.["turned away"] ?? 0) },
      ];
    }),
  );
}

/** The same buyers with one core for the engine and with a quarter of one, without a pause. */
export function quarterCore(
  environment: Environment,
  options: ScarceOptions,
): Promise<Measurement[]> {
  const { seconds, report } = options;
  return withBuyers(environment, options, async (buy) => {
    const measured: Measurement[] = [];
    for (const [name, cores] of [
      [WHOLE, 1],
      [QUARTER, 0.25],
    ] as const) {
      report(name);
      const one = await withEngine(buy, cores, (come) =>
        come(name, { warmUpSeconds: ARRIVAL_SECONDS, seconds }),
      );
      const whole = measured[0] ?? one;
      measured.push({
        ...one,
        more: { ...one.more, "good ÷ one core's": one.perSecond / whole.perSecond },
      });
    }
    return measured;
  });
}

type Buying = { sale: Sale; tokens: string[]; options: ScarceOptions };

async function withBuyers<T>(
  environment: Environment,
  options: ScarceOptions,
  work: (buying: Buying) => Promise<T>,
): Promise<T> {
  const sale = openSale(environment, options.folder);
  try {
    return await work({ sale, tokens: await makeBuyers(sale, options.buyers), options });
  } finally {
    await sale.database.close();
  }
}

/** Starts an engine with the cores it may use, and checks afterwards that every sale is kept. */
async function withEngine<T>(
  { sale, tokens, options }: Buying,
  cores: number,
  work: (come: (name: string, coming: Coming) => Promise<Measurement>) => Promise<T>,
): Promise<T> {
  const eventId = await newEvent(sale.database);
  const engine = await startBenchEngine(
    sale,
    "worker",
    options.profile ? options.folder : undefined,
  );
  const pid = engine.process.pid ?? 0;
  let release = (): void => undefined;
  let sold = 0;
  const asks = purchases([eventId], tokens);
  try {
    // An engine whose code V8 has not compiled yet is slower still.
    const { length: connections } = tokens;
    await sendAtOnce({ url: engine.url, asks, connections, seconds: WARM_UP_SECONDS });
    release = limitCpu([pid], cores);
    const result = await work(async (name, { perSecond, ...times }) => {
      const crowd = await sendMetered(
        {
          url: engine.url,
          groups: [
            {
              name: "purchase",
              people: tokens.length,
              patient: true,
              everyMs: perSecond === undefined ? 0 : (1_000 * tokens.length) / perSecond,
              asks,
            },
          ],
          ...times,
        },
        { engine: pid, ...options.servers, ...LOAD },
      );
      const [group] = crowd.groups;
      if (group === undefined) throw new Error("There was no crowd");
      sold += group.good.count;
      return { ...measuredOf(name, group, crowd.seconds), ...crowd.figures(group.good.count) };
    });
    await settled(sale.database, eventId);
    const tickets = await ticketsOf(sale.database, eventId);
    if (tickets < sold) throw new Error(`${sold} answers of 201, but ${tickets} tickets`);
    return result;
  } finally {
    release();
    await engine.stop();
  }
}

/** Sales count. Errors: answers that are neither a sale nor a refusal for now, and none. */
function measuredOf(
  name: string,
  { good, statuses, broken, unanswered }: GroupResult,
  seconds: number,
): Omit<Measurement, "cpuMs" | "peakMb"> {
  const turnedAway = statuses["503"] ?? 0;
  const answers = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return {
    name,
    role: "ours",
    operation: "sale",
    operations: good.count,
    seconds,
    perSecond: good.count / seconds,
    times: good,
    errors: answers - good.count - turnedAway + broken + unanswered,
    more: { "turned away": turnedAway, "asked a second": (answers + unanswered) / seconds },
    note: `statuses ${JSON.stringify(statuses)}, ${broken} connections ended, ${unanswered} unanswered`,
  };
}
