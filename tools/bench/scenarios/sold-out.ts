import type { Environment } from "../../../config/index.ts";
import { type KeyRules, checkKeys } from "./key-rules.ts";
import { purchases } from "../harness/browsers.ts";
import { sendAtOnce, timesOf } from "../harness/load.ts";
import type { ManyEventsOptions } from "./many-events.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, startMeter } from "../harness/process-figures.ts";
import {
  makeBuyers,
  newEvent,
  openSale,
  settled,
  startBenchEngine,
  ticketsOf,
} from "../harness/sale.ts";

const PLACES = 100;
const WARM_UP_SECONDS = 3;

/** The slowest ones waited to be accepted: libuv accepts one connection per loop iteration. */
export const SOLD_OUT_BOUNDS: readonly Bound[] = [
  { of: "sold out", figure: "perSecond", least: 6_000 },
  { of: "sold out", figure: "errors", most: 0 },
  { of: "sold out", figure: "more.keys asked again", least: 10 },
];

/**
 * Sends purchases to a sold-out event while buyers repeat theirs. The same key must return the same
 * sale, with another quantity a refusal, and a refused key must stay free. Throws for a violated
 * rule or an oversold event.
 */
export async function soldOut(
  environment: Environment,
  options: ManyEventsOptions,
): Promise<Measurement[]> {
  const { buyers, folder, seconds, servers, report } = options;
  const sale = openSale(environment, folder);
  const { database } = sale;
  const tokens = await makeBuyers(sale, buyers + PLACES);
  const eventId = await newEvent(database, PLACES);
  const engine = await startBenchEngine(sale, "worker", options.profile ? folder : undefined);
  const path = `/api/events/${eventId}/tickets`;
  const rules: KeyRules = {
    url: `${engine.url}${path}`,
    ticketsUrl: `${engine.url}/api/tickets`,
    tokens: tokens.slice(0, PLACES),
  };
  try {
    report(`${buyers} people asking for a ticket of an event that is sold out`);
    const keys = await checkKeys(rules);
    const load = {
      url: engine.url,
      asks: purchases([eventId], tokens.slice(PLACES)),
      connections: buyers,
      countStatuses: true,
    };
    await sendAtOnce({ ...load, seconds: WARM_UP_SECONDS });
    const meter = startMeter({ engine: engine.process.pid ?? 0, ...servers, ...LOAD });
    const stopping = new AbortController();
    const [result, asked] = await Promise.all([
      sendAtOnce({ ...load, seconds }).finally(() => stopping.abort()),
      keys.repeat(stopping.signal),
    ]);
    const figures = meter(result.answers);
    await settled(database, eventId);
    await keys.afterwards();
    const tickets = await ticketsOf(database, eventId);
    if (tickets !== PLACES)
      throw new Error(`${tickets} tickets in PostgreSQL, of ${PLACES} places`);
    const { answers, failed, statuses = {} } = result;
    const refused = statuses["409"] ?? 0;
    return [
      {
        name: "sold out",
        role: "ours",
        operation: "refusal",
        operations: refused,
        seconds: result.seconds,
        perSecond: refused / result.seconds,
        times: timesOf(result),
        errors: failed + answers - refused,
        ...figures,
        more: { "keys asked again": asked },
      },
    ];
  } finally {
    await engine.stop();
    await database.close();
  }
}
