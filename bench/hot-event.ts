import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config.ts";
import type { Database } from "../mixins/database.ts";
import { CONTENDERS, type Contender } from "./contenders.ts";
import { buyAtOnce, type LoadResult } from "./load.ts";
import { cpuMs, peakMemoryMb } from "./process-figures.ts";
import { drained, makeBuyers, newEvent, openSale, settled, startBenchEngine, ticketsOf } from "./sale.ts";

export type HotEventOptions = { contenders: Contender[]; buyers: number; seconds: number; folder: string; profile: boolean };
export type HotEventResult = LoadResult & {
  contender: Contender;
  sold: number;
  soldPerSecond: number;
  ticketsInPostgres: number;
  booked: number;
  /** Undefined for the baselines, which have no ledger to wait for. */
  ledgerDrainedMs: number | undefined;
  cpuMsPerSale: number;
  peakMemoryMb: number;
};

const WARM_UP_SECONDS = 3;

/** Sells one event to `buyers` concurrent buyers by each contender in turn, on the same servers, and checks after each that nothing is lost or invented. */
export async function hotEvent(
  environment: Environment,
  options: HotEventOptions,
  report: (line: string) => void,
): Promise<HotEventResult[]> {
  const sale = openSale(environment, options.folder);
  const { database } = sale;
  const tokens = await makeBuyers(sale, options.buyers);
  const tokensFile = join(options.folder, "tokens");
  writeFileSync(tokensFile, tokens.join("\n"), { mode: 0o600 });

  const results: HotEventResult[] = [];
  for (const contender of options.contenders) {
    const eventId = await newEvent(database);
    const engine = await startBenchEngine(sale, contender, options.profile && contender === "worker" ? options.folder : undefined);
    try {
      const load = { url: engine.url, path: `/api/events/${eventId}/tickets`, tokensFile, tokens, connections: options.buyers };
      report(`${CONTENDERS[contender]}: warming up`);
      await buyAtOnce({ ...load, seconds: WARM_UP_SECONDS });
      await settled(database, eventId);
      const ticketsBefore = await ticketsOf(database, eventId);
      const cpuBefore = cpuMs(engine.process);
      const result = await buyAtOnce({ ...load, seconds: options.seconds });
      const usedMs = cpuMs(engine.process) - cpuBefore;
      const ledgerDrainedMs = contender === "worker" ? await drained(database, eventId) : undefined;
      await settled(database, eventId);
      results.push(
        await check(database, eventId, contender, result, ticketsBefore, options.buyers, {
          usedMs,
          ledgerDrainedMs,
          engine: engine.process,
        }),
      );
    } finally {
      await engine.stop();
    }
  }
  await database.close();
  return results;
}

async function check(
  database: Database,
  eventId: string,
  contender: Contender,
  load: LoadResult,
  ticketsBefore: number,
  buyers: number,
  { usedMs, ledgerDrainedMs, engine }: { usedMs: number; ledgerDrainedMs: number | undefined; engine: ChildProcess },
): Promise<HotEventResult> {
  const sold = load.answers - load.refused;
  const ticketsInPostgres = await ticketsOf(database, eventId);
  const [row] = await database.query<{ booked: number }>({
    text: "SELECT (total_capacity - capacity)::float8 AS booked FROM event WHERE id = $1",
    values: [eventId],
  });
  const booked = row?.booked ?? 0;
  const fresh = ticketsInPostgres - ticketsBefore;
  // What was still under way when the generator left was sold without being counted: one purchase per connection at most.
  if (fresh < sold || fresh > sold + buyers) throw new Error(`${contender}: ${sold} answers of 201, but ${fresh} tickets in PostgreSQL`);
  if (booked !== ticketsInPostgres) throw new Error(`${contender}: ${ticketsInPostgres} tickets, but ${booked} places booked`);
  return {
    contender,
    ...load,
    sold,
    soldPerSecond: sold / load.seconds,
    ticketsInPostgres,
    booked,
    ledgerDrainedMs,
    cpuMsPerSale: usedMs / Math.max(1, sold),
    peakMemoryMb: peakMemoryMb(engine),
  };
}

export function printHotEvent(results: readonly HotEventResult[]): void {
  const ours = results.find(({ contender }) => contender === "worker");
  console.table(
    Object.fromEntries(
      results.map((result) => [
        CONTENDERS[result.contender],
        {
          "sold/s": Math.round(result.soldPerSecond),
          "worker ÷ this": ours === undefined ? "" : ratio(ours, result.contender, result),
          "p50 ms": Math.round(result.p50Ms),
          "p95 ms": Math.round(result.p95Ms),
          "p99 ms": Math.round(result.p99Ms),
          refused: result.refused,
          failed: result.failed,
          "CPU ms/sale": Number(result.cpuMsPerSale.toFixed(3)),
          "peak MB": Math.round(result.peakMemoryMb),
          "ledger ms": result.ledgerDrainedMs === undefined ? "" : Math.round(result.ledgerDrainedMs),
        },
      ]),
    ),
  );
  console.log(
    "sold = tickets in PostgreSQL = places booked, checked after each run; 'ledger ms' is what booking needed after the end of the load",
  );
}

function ratio(ours: HotEventResult, contender: Contender, other: HotEventResult): string {
  return contender === "worker" ? "" : (ours.soldPerSecond / other.soldPerSecond).toFixed(1);
}
