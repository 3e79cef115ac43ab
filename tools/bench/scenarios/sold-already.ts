import type { Environment } from "../../../config/index.ts";
import { fillTickets } from "../harness/fill-tickets.ts";
import type { ManyEventsOptions } from "./many-events.ts";
import { type Bound, figureOf, type Measurement, short } from "../harness/measurement.ts";
import { newEvent, openSale } from "../harness/sale.ts";
import { buyersFor, sellBy } from "../harness/selling.ts";

const SOLD_ALREADY = [1_000, 1_000_000, 10_000_000];
const soldName = (sold: number): string => `${sold.toLocaleString("en")} sold already`;

/** No round may cost more than 1.3 times the cheapest. */
export const SOLD_ALREADY_BOUNDS: readonly Bound[] = [
  { of: /sold already/, figure: "errors", most: 0 },
  { of: /sold already/, figure: "more.CPU ms ÷ cheapest", most: 1.3 },
];

/**
 * One hot event with a growing number of sold tickets. The cost of a sale must not depend on it.
 * Earlier buyers have at most ten tickets each.
 */
export async function soldAlready(
  environment: Environment,
  options: ManyEventsOptions,
): Promise<Measurement[]> {
  const { buyers, report, ...selling } = options;
  const sale = openSale(environment, options.folder);
  try {
    const tokens = await buyersFor(sale, buyers, 1);
    const measured: Measurement[] = [];
    for (const sold of SOLD_ALREADY) {
      const name = soldName(sold);
      report(`${name}: filling`);
      const eventIds = [await newEvent(sale.database)];
      const startedMs = performance.now();
      await fillTickets(environment.DATABASE_URL ?? "", eventIds[0] ?? "", sold);
      report(`${name}: filled in ${short((performance.now() - startedMs) / 1_000)} s; selling`);
      measured.push(
        await sellBy(sale, { ...selling, name, contender: "worker", eventIds, tokens }),
      );
    }
    const cost = (one: Measurement): number =>
      (figureOf(one, "cpuMs.engine") ?? 0) + (figureOf(one, "cpuMs.postgres") ?? 0);
    const cheapest = Math.min(...measured.map(cost));
    return measured.map((one) => ({
      ...one,
      more: { ...one.more, "CPU ms ÷ cheapest": cost(one) / cheapest },
    }));
  } finally {
    await sale.database.close();
  }
}
