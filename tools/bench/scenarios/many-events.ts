import type { Environment } from "../../../config/index.ts";
import type { Database } from "../../../lib/database/pool.ts";
import type { Contender } from "../harness/contenders.ts";
import { type Bound, figureOf, type Measurement } from "../harness/measurement.ts";
import type { Processes } from "../harness/process-figures.ts";
import { newEvent, openSale } from "../harness/sale.ts";
import { buyersFor, sellBy } from "../harness/selling.ts";

export type ManyEventsOptions = {
  buyers: number;
  /** Numbers of events on sale. Undefined: those of the scenario. */
  events: readonly number[] | undefined;
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

const ON_SALE = [1, 10, 100, 1_000];
const WAYS = ["worker", "row-lock"] as const satisfies readonly Contender[];

/** Name of a measurement in tables and plots. */
const nameOf = (contender: (typeof WAYS)[number], events: number): string =>
  `${contender}, ${events} on sale`;

export const MANY_EVENTS_BOUNDS: readonly Bound[] = [
  { of: nameOf("worker", 1_000), figure: "perSecond", least: 2_500 },
  { of: /^worker/, figure: "errors", most: 0 },
  { of: /^worker/, figure: "more.CPU ms ÷ row lock's", most: 1 },
];

/**
 * Spreads buyers over 1, 10, 100 and 1,000 events; the worker against a row lock per purchase in
 * the same run. Compares the CPU of engine and PostgreSQL together.
 */
export async function manyEvents(
  environment: Environment,
  options: ManyEventsOptions,
): Promise<Measurement[]> {
  const { buyers, report, events: onSale = ON_SALE, ...selling } = options;
  const sale = openSale(environment, options.folder);
  try {
    const most = Math.max(...onSale);
    const tokens = await buyersFor(sale, buyers, most);
    const measured: Measurement[] = [];
    for (const events of onSale) {
      const pair: Measurement[] = [];
      for (const contender of WAYS) {
        const name = nameOf(contender, events);
        report(name);
        const eventIds = await newEvents(sale.database, events);
        const profile = options.profile && events === most;
        const one = await sellBy(sale, { ...selling, name, contender, eventIds, tokens, profile });
        pair.push({
          ...one,
          ...(one.role === "rival" ? { against: nameOf("worker", events) } : {}),
        });
      }
      measured.push(...compared(pair, events));
    }
    return measured;
  } finally {
    await sale.database.close();
  }
}

function compared([ours, rival]: Measurement[], events: number): Measurement[] {
  if (ours === undefined || rival === undefined) return [];
  const cpu = (one: Measurement): number =>
    (figureOf(one, "cpuMs.engine") ?? 0) + (figureOf(one, "cpuMs.postgres") ?? 0);
  const figures = (one: Measurement): Measurement["more"] => ({
    ...one.more,
    events,
    "engine + PostgreSQL CPU ms": cpu(one),
  });
  return [
    { ...ours, more: { ...figures(ours), "CPU ms ÷ row lock's": cpu(ours) / cpu(rival) } },
    { ...rival, more: { ...figures(rival) } },
  ];
}

async function newEvents(database: Database, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) ids.push(await newEvent(database));
  return ids;
}
