import type { Environment } from "../../../config/index.ts";
import { CONTENDERS, type Contender } from "../harness/contenders.ts";
import { insertFloor } from "../rivals/insert-floor.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import type { Processes } from "../harness/process-figures.ts";
import { newEvent, openSale } from "../harness/sale.ts";
import { buyersFor, sellBy } from "../harness/selling.ts";

export type HotEventOptions = {
  contenders: readonly Contender[];
  buyers: number;
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

export const HOT_EVENT_BOUNDS: readonly Bound[] = [
  { of: "worker", figure: "perSecond", least: 6_000 },
  { of: "worker", figure: "times.p99", most: 500 },
  { of: "worker", figure: "errors", most: 0 },
];

/**
 * Sells one event to `buyers` concurrent buyers by each contender in turn, checked against
 * PostgreSQL; then measures PostgreSQL alone with the same rows.
 */
export async function hotEvent(
  environment: Environment,
  options: HotEventOptions,
): Promise<Measurement[]> {
  const { contenders, buyers, report, ...selling } = options;
  const sale = openSale(environment, options.folder);
  try {
    const tokens = await buyersFor(sale, buyers, 1);
    const measured: Measurement[] = [];
    for (const contender of contenders) {
      report(CONTENDERS[contender]);
      const eventIds = [await newEvent(sale.database)];
      const one = await sellBy(sale, { ...selling, name: contender, contender, eventIds, tokens });
      measured.push({
        ...one,
        ...(one.role === "rival" ? { against: "worker" } : {}),
        note: CONTENDERS[contender],
      });
    }
    const batch = Math.round(
      measured.find(({ name }) => name === "worker")?.more?.["tickets a batch"] ?? 0,
    );
    if (batch === 0) return measured;
    report(`PostgreSQL alone, ${batch} rows a statement`);
    const floor = {
      ...selling,
      databaseUrl: environment.DATABASE_URL ?? "",
      batch,
      against: "worker",
    };
    return [...measured, await insertFloor(sale.database, floor)];
  } finally {
    await sale.database.close();
  }
}
