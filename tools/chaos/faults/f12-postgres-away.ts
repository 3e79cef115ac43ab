import { answersBegun } from "../checks/good-answers.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { Customer } from "../load/customer.ts";
import { type Entry, isGood } from "../load/journal.ts";

const AWAY_S = 60;
const CUTS = 5;
const CUT_EVERY_S = 2;
/**
 * Time limits of answers while PostgreSQL is down: 1 s for new requests, 2.5 s for those in flight,
 * plus the delay of this generator, which shares the machine.
 */
const ARRIVING_WITHIN_MS = 1_000 + 250;
const IN_FLIGHT_WITHIN_MS = 2_500 + 250;
/** A request that begins within this time after PostgreSQL went down counts as in flight. */
const IN_FLIGHT_MS = 300;

/** Within this time after a purchase, its customer has a list in Redis. */
const LISTED_MS = 2_000;
const LISTS = 50;

async function cutConnections({ world }: FaultContext): Promise<void> {
  const text =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
    "WHERE application_name LIKE 'boxoffice-%' AND pid <> pg_backend_pid()";
  // The connection of this statement may be among the killed ones.
  await world.database.query({ text }).catch(() => undefined);
}

/** Lists the tickets of customers who bought before `beforeMs`, one customer after another. */
async function listEarlierBuyers(
  { market, random }: FaultContext,
  beforeMs: number,
): Promise<Entry[]> {
  const sales = market.journal.entries.filter(
    ({ op, outcome, ended }) => op === "buy" && outcome === "ok" && ended < beforeMs,
  );
  const buyers = [...new Set(sales.map(({ user }) => user))].slice(-LISTS);
  const lists: Entry[] = [];
  for (const user of buyers) lists.push(await new Customer(market, user, random).list());
  return lists;
}

/**
 * PostgreSQL dies, is down for a minute, then loses its connections repeatedly. No sale happens
 * meanwhile; searches and lists continue from the copies.
 */
export const fault: Fault = {
  id: "F12",
  title: `PostgreSQL: kill -9; down for ${AWAY_S} s; connections killed every ${CUT_EVERY_S} s`,
  async run(context) {
    const { servers, market, phase, forSeconds, until, mark, expect, note } = context;
    const postgres = servers.server("postgres");
    const kill = async (): Promise<void> => {
      postgres.kill("SIGKILL");
      await until("PostgreSQL is gone", () => postgres.pid === undefined, 5);
    };
    await phase("killed and started again", async () => {
      await kill();
      await postgres.restart();
      await forSeconds(3);
    });
    const { fromMs, toMs, lists } = await phase("down", async () => {
      await kill();
      const beganMs = performance.now();
      await forSeconds(1);
      const listed = await listEarlierBuyers(context, beganMs - LISTED_MS);
      await forSeconds(AWAY_S - (performance.now() - beganMs) / 1_000);
      const endedMs = performance.now();
      await postgres.restart();
      return { fromMs: beganMs, toMs: endedMs, lists: listed };
    });
    await phase("connections are killed", async () => {
      await forSeconds(2);
      for (let count = 0; count < CUTS; count += 1) {
        await cutConnections(context);
        await forSeconds(CUT_EVERY_S);
      }
    });
    mark();
    await forSeconds(2);

    const arriving = answersBegun(
      market.journal.entries,
      fromMs + IN_FLIGHT_MS,
      toMs - ARRIVING_WITHIN_MS,
    );
    const inFlight = answersBegun(
      market.journal.entries,
      fromMs - IN_FLIGHT_WITHIN_MS,
      fromMs + IN_FLIGHT_MS,
    );
    const { by, slowestMs } = arriving;
    expect(
      by.search.percent >= 99.9,
      `${by.search.percent.toFixed(2)} % of ${by.search.answers} searches were good while it was ` +
        "down, instead of 99.9",
    );
    expect(
      slowestMs <= ARRIVING_WITHIN_MS,
      `a request while it was down was answered after ${Math.round(slowestMs)} ms`,
    );
    expect(
      inFlight.slowestMs <= IN_FLIGHT_WITHIN_MS,
      `a request in flight was answered after ${Math.round(inFlight.slowestMs)} ms`,
    );
    expect(
      by.buy.good === 0,
      `${by.buy.good} purchases got a good answer while PostgreSQL was down`,
    );
    // Of customers who have bought nothing, Redis knows nothing.
    const good = lists.filter(isGood).length;
    expect(
      lists.length > 0 && good >= 0.9 * lists.length,
      `${good} of ${lists.length} lists of earlier buyers were good while it was down`,
    );
    note(
      `while down: ${by.search.percent.toFixed(2)} % of ${by.search.answers} searches and ` +
        `${good} of ${lists.length} lists of earlier buyers good, ` +
        `slowest answer ${Math.round(slowestMs)} ms`,
    );
  },
};
