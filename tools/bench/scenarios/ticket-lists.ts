import type { Environment } from "../../../config/index.ts";
import type { Database } from "../../../lib/database/pool.ts";
import { fillTickets } from "../harness/fill-tickets.ts";
import { measured, sendAtOnce } from "../harness/load.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes, startMeter } from "../harness/process-figures.ts";
import {
  type BenchEngine,
  makeBuyers,
  newEvent,
  openSale,
  type Sale,
  startBenchEngine,
} from "../harness/sale.ts";

export type ListsOptions = {
  buyers: number;
  seconds: number;
  servers: Processes;
  folder: string;
  profile: boolean;
  report: (line: string) => void;
};

type Case = { name: string; tickets: number; connections: number };

const PATH = "/api/tickets";
const [FEW, PAGE] = [4, 20];
const CROWD = 64;
/** Tickets of other people in the same table. */
const OTHERS = 200_000;
const WARM_UP_SECONDS = 5;
const ALONE: Case = { name: "one at a time", tickets: FEW, connections: 1 };
const CROWDED: Case = { name: "a crowd", tickets: FEW, connections: CROWD };
const CASES: readonly Case[] = [
  CROWDED,
  ALONE,
  { name: `a crowd, ${PAGE} tickets each`, tickets: PAGE, connections: CROWD },
];
const SHARE = "PostgreSQL's CPU to one at a time";

export const LISTS_BOUNDS: readonly Bound[] = [
  { of: /./, figure: "errors", most: 0 },
  { of: /./, figure: "times.p99", most: 500 },
  { of: CROWDED.name, figure: `more.${SHARE}`, most: 0.7 },
];

/**
 * People list their tickets without a pause. Throws if a list has wrong tickets. `one at a time` is
 * the cost of a single list; in a crowd one statement reads many lists.
 */
export async function lists(
  environment: Environment,
  options: ListsOptions,
): Promise<Measurement[]> {
  const { buyers, folder, report } = options;
  const sale = openSale(environment, folder);
  const engine = await startBenchEngine(sale, "worker", options.profile ? folder : undefined);
  try {
    await fillTickets(sale.config.databaseUrl ?? "", await newEvent(sale.database), OTHERS);
    const tokens = await makeBuyers(sale, buyers);
    const all: Measurement[] = [];
    for (const [index, one] of CASES.entries()) {
      const before = CASES[index - 1]?.tickets ?? 0;
      if (one.tickets > before) await giveTickets(sale.database, one.tickets - before);
      await checkLists(sale, engine, tokens);
      report(`${one.name}: ${one.tickets} tickets each, ${one.connections} connections`);
      all.push(await listBy(engine, one, tokens, options));
    }
    const [crowd, alone] = [CROWDED, ALONE].map(
      ({ name }) => all.find((one) => one.name === name)?.cpuMs.postgres ?? Number.NaN,
    );
    return all.map((one) =>
      one.name === CROWDED.name ? { ...one, more: { [SHARE]: (crowd ?? 0) / (alone ?? 0) } } : one,
    );
  } finally {
    await engine.stop();
    await sale.database.close();
  }
}

async function listBy(
  engine: BenchEngine,
  { name, connections }: Case,
  tokens: readonly string[],
  { seconds, servers }: ListsOptions,
): Promise<Measurement> {
  const asks = tokens.map((token) => ({ path: PATH, token }));
  const load = { url: engine.url, asks, connections };
  await sendAtOnce({ ...load, seconds: WARM_UP_SECONDS });
  const meter = startMeter({ engine: engine.process.pid ?? 0, ...servers, ...LOAD });
  const result = await sendAtOnce({ ...load, seconds });
  return { name, role: "ours", ...measured("list", result), ...meter(result.answers) };
}

/** Gives every account more tickets, each of its own event. They are not booked. */
async function giveTickets(database: Database, each: number): Promise<void> {
  for (let number = 0; number < each; number += 1)
    await database.query({
      text: `
        INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
        SELECT gen_random_uuid(), $1, id, '2099-01-01', sha512(uuid_send(gen_random_uuid())), 1,
          clock_timestamp()
        FROM user_account`,
      values: [await newEvent(database)],
    });
  await database.maintain("VACUUM (ANALYZE) event_tickets");
}

/** Reads every person's list once, many at a time. */
async function checkLists(
  { database }: Sale,
  engine: BenchEngine,
  tokens: readonly string[],
): Promise<void> {
  const rows = await database.query<{ ids: string }>({
    text: `
      SELECT string_agg(id::text, ' ' ORDER BY event_date, id) AS ids FROM event_tickets
      WHERE user_id IN (SELECT id FROM user_account) GROUP BY user_id`,
  });
  const expected = new Set(rows.map(({ ids }) => ids));
  for (let start = 0; start < tokens.length; start += CROWD)
    await Promise.all(
      tokens.slice(start, start + CROWD).map(async (token) => {
        const response = await fetch(`${engine.url}${PATH}`, {
          headers: { authorization: `Bearer ${token}` },
        });
        const { items = [] } = (await response.json()) as { items?: { id: string }[] };
        const ids = items.map(({ id }) => id).join(" ");
        // Each list must be shown once.
        if (!expected.delete(ids))
          throw new Error(`A list of unknown or other people's tickets: ${response.status} ${ids}`);
      }),
    );
}
