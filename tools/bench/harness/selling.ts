import type { Database } from "../../../lib/database/pool.ts";
import type { Contender } from "./contenders.ts";
import { purchases } from "./browsers.ts";
import { sendAtOnce, timesOf } from "./load.ts";
import type { Measurement } from "./measurement.ts";
import { LOAD, type Processes, startMeter } from "./process-figures.ts";
import { drained, makeBuyers, type Sale, settled, startBenchEngine, ticketsOf } from "./sale.ts";

export type SellingOptions = {
  name: string;
  contender: Contender;
  /** Each buyer buys of one of them. */
  eventIds: readonly string[];
  tokens: readonly string[];
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
};

const WARM_UP_SECONDS = 3;
/** Each event's worker takes a lease and an epoch before its first sale. */
const WARM_UP_SECONDS_AN_EVENT = 0.007;

/** Returns at least one buyer per event. */
export function buyersFor(sale: Sale, buyers: number, events: number): Promise<string[]> {
  return makeBuyers(sale, Math.max(buyers, events));
}

/**
 * All buyers buy at once on keep-alive connections, without a pause, from an engine of their own
 * with one contender. Throws if answers, tickets in PostgreSQL and booked places disagree.
 */
export async function sellBy(sale: Sale, options: SellingOptions): Promise<Measurement> {
  const { contender, eventIds, tokens, folder, servers } = options;
  const { database } = sale;
  const soldEarlier = await ticketsOf(database, eventIds);
  const engine = await startBenchEngine(
    sale,
    contender,
    options.profile && contender === "worker" ? folder : undefined,
  );
  try {
    const asks = purchases(eventIds, tokens);
    const load = { url: engine.url, asks, connections: tokens.length };
    await sendAtOnce({
      ...load,
      seconds: WARM_UP_SECONDS + Math.round(WARM_UP_SECONDS_AN_EVENT * eventIds.length),
    });
    await settled(database, eventIds);
    const [ticketsBefore, batchesBefore] = [
      await ticketsOf(database, eventIds),
      await batchesOf(database, eventIds),
    ];
    const meter = startMeter({ engine: engine.process.pid ?? 0, ...servers, ...LOAD });
    const { answers, refused, failed, seconds, ...result } = await sendAtOnce({
      ...load,
      seconds: options.seconds,
    });
    const sold = answers - refused;
    const ledgerMs = contender === "worker" ? await drained(database, eventIds) : undefined;
    const figures = meter(sold);
    await settled(database, eventIds);
    const fresh = await checkSold(database, {
      contender,
      eventIds,
      sold,
      ticketsBefore,
      soldEarlier,
      buyers: tokens.length,
    });
    const batches = (await batchesOf(database, eventIds)) - batchesBefore;
    return {
      name: options.name,
      role: contender === "worker" ? "ours" : "rival",
      operation: "sale",
      operations: sold,
      seconds,
      perSecond: sold / seconds,
      times: timesOf({ answers, ...result }),
      errors: refused + failed,
      ...figures,
      more:
        ledgerMs === undefined
          ? {}
          : { "tickets a batch": fresh / Math.max(1, batches), "ledger done after ms": ledgerMs },
    };
  } finally {
    await engine.stop();
  }
}

type Checked = {
  contender: Contender;
  eventIds: readonly string[];
  sold: number;
  ticketsBefore: number;
  soldEarlier: number;
  buyers: number;
};

async function checkSold(
  database: Database,
  { contender, eventIds, sold, ticketsBefore, soldEarlier, buyers }: Checked,
): Promise<number> {
  const tickets = await ticketsOf(database, eventIds);
  const [row] = await database.query<{ booked: number }>({
    text:
      "SELECT sum(total_capacity - capacity)::float8 AS booked FROM event " +
      "WHERE id = ANY ($1::uuid[])",
    values: [eventIds],
  });
  const fresh = tickets - ticketsBefore;
  // Purchases in flight at the end of the load were sold without being counted: at most one per
  // connection.
  if (fresh < sold || fresh > sold + buyers)
    throw new Error(`${contender}: ${sold} answers of 201, but ${fresh} tickets in PostgreSQL`);
  if (row?.booked !== tickets)
    throw new Error(
      `${contender}: ${tickets} tickets (${soldEarlier} earlier), but ${row?.booked} places booked`,
    );
  return fresh;
}

async function batchesOf(database: Database, eventIds: readonly string[]): Promise<number> {
  const text =
    "SELECT coalesce(sum(batch), 0)::float8 AS batches FROM event_worker " +
    "WHERE event_id = ANY ($1::uuid[])";
  const [row] = await database.query<{ batches: number }>({ text, values: [eventIds] });
  return row?.batches ?? 0;
}
