import type { Environment } from "../../../config/index.ts";
import { purchases } from "../harness/browsers.ts";
import { type Group, type GroupResult, sendMetered } from "../harness/crowd.ts";
import { type Layout, ONE_OF_EACH, startLayout } from "../harness/layouts.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes } from "../harness/process-figures.ts";
import { makeBuyers, newEvent, openSale, type Sale, settled, ticketsOf } from "../harness/sale.ts";

export type ReplayOptions = {
  servers: Processes;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

/** For each person who wants a ticket so many bots want one at the same moment. */
const BOTS_PER_PERSON = 4;
const WARM_UP_SECONDS = 5;

/**
 * Sales that were published: purchases of people in each second. Of the first, the time until it
 * was sold out (13 s) and the peak (134 a second) are known; that it rises in three seconds and
 * falls evenly is assumed. The second had 65 a second for an hour, of which this is a minute.
 */
const SALES: Readonly<Record<string, readonly number[]>> = {
  "sold out in 13 s": [40, 90, 134, 125, 116, 107, 98, 89, 80, 71, 62, 53, 44],
  "65 a second": Array.from({ length: 60 }, () => 65),
};

export const REPLAY_BOUNDS: readonly Bound[] = [
  { of: /./, figure: "errors", most: 0 },
  { of: /./, figure: "times.p99", most: 500 },
];

/**
 * Repeats real sales with four bots to each person, by one process of each service. There are as
 * many places as people, so most hear that the event is sold out. Throws if it is sold short or
 * oversold.
 */
export async function replay(
  environment: Environment,
  options: ReplayOptions,
): Promise<Measurement[]> {
  const sale = openSale(environment, options.folder);
  const engine = await startLayout(sale, ONE_OF_EACH, options);
  try {
    const measured: Measurement[] = [];
    for (const [name, curve] of Object.entries(SALES)) {
      options.report(name);
      measured.push(await sell(sale, engine, name, curve, options));
    }
    return measured;
  } finally {
    await engine.stop();
    await sale.database.close();
  }
}

async function sell(
  sale: Sale,
  { urls, processes }: Layout,
  name: string,
  curve: readonly number[],
  { servers }: ReplayOptions,
): Promise<Measurement> {
  const places = curve.reduce((sum, count) => sum + count, 0);
  const eventId = await newEvent(sale.database, places);
  const groupOf = async (who: string, times: number): Promise<Group> => {
    // As many connections as asks in the busiest second, so that none is idle for long.
    const tokens = await makeBuyers(sale, times * Math.max(...curve));
    return {
      name: who,
      people: tokens.length,
      everyMs: 0,
      curve: curve.map((count) => times * count),
      asks: purchases([eventId], tokens),
    };
  };
  const groups = [await groupOf("people", 1), await groupOf("bots", BOTS_PER_PERSON)];
  const {
    seconds,
    groups: results,
    figures,
  } = await sendMetered(
    { url: urls[0] ?? "", groups, warmUpSeconds: WARM_UP_SECONDS, seconds: curve.length },
    { ...processes, ...servers, ...LOAD },
  );
  await settled(sale.database, eventId);
  const tickets = await ticketsOf(sale.database, eventId);
  if (tickets !== places) throw new Error(`${name}: ${tickets} tickets for ${places} places`);
  const [people] = results;
  if (people === undefined) throw new Error("There were no people");
  const asked = results.reduce((sum, { times }) => sum + times.count, 0);
  return {
    name,
    role: "ours",
    operation: "purchase",
    operations: asked,
    seconds,
    perSecond: asked / seconds,
    times: people.times,
    errors: results.reduce((sum, result) => sum + wrongIn(result), 0),
    ...figures(asked),
    more: { places, "tickets of people": people.statuses["201"] ?? 0 },
  };
}

/** Answers that are neither a sale nor "sold out", and none. */
function wrongIn({ statuses, broken, unanswered, times }: GroupResult): number {
  return times.count - (statuses["201"] ?? 0) - (statuses["409"] ?? 0) + broken + unanswered;
}
