import type { PostgresPair } from "../../../failover/postgres-pair.ts";
import { secondsToFirstSale } from "../../checks/good-answers.ts";
import type { Fault, FaultContext } from "../../fault.ts";

const RESUME_WITHIN_S = 10;
const FOLLOW_WITHIN_S = 90;

function pairOf({ world }: FaultContext): PostgresPair {
  if (world.pair === undefined) throw new Error("This world has no standby");
  return world.pair;
}

async function epochsOf({ world, events }: FaultContext): Promise<Map<string, number>> {
  const rows = await world.database.query<{ event: string; epoch: number }>({
    text: `SELECT event_id::text AS event, epoch::float8 AS epoch FROM event_worker
      WHERE event_id = ANY ($1::uuid[])`,
    values: [[...events]],
  });
  return new Map(rows.map(({ event, epoch }) => [event, epoch]));
}

/** Loses the primary's machine. Returns the seconds until a sale, and brings the machine back. */
async function failOver(context: FaultContext, pair: PostgresPair): Promise<number> {
  const { market, hot, phase, mark, until, forSeconds, expect } = context;
  const lost = await pair.primary();
  const before = await epochsOf(context);
  const lostMs = performance.now();
  let seconds = Infinity;
  const isSold = (): boolean => {
    seconds = secondsToFirstSale(market.journal.entries, hot, lostMs) ?? Infinity;
    return seconds !== Infinity;
  };
  await phase(`${lost.name}, the primary, is lost`, async () => {
    pair.lose(lost);
    await until("a sale", isSold, 60);
  });
  mark();
  expect(
    seconds <= RESUME_WITHIN_S,
    `sales resumed after ${seconds.toFixed(1)} s, not within ${RESUME_WITHIN_S}`,
  );
  const promoted = await pair.primary();
  expect(promoted.name !== lost.name, "the lost member is the primary");
  await forSeconds(2);
  const after = await epochsOf(context);
  for (const [event, epoch] of before)
    expect((after.get(event) ?? 0) >= epoch, `the epoch of ${event} has shrunk`);
  expect((after.get(hot) ?? 0) > (before.get(hot) ?? 0), "the hot event has no newer epoch");
  await phase(`${lost.name} comes back as the standby`, async () => {
    await pair.bringBack(lost);
    await until("it has all that is committed", () => pair.isSynchronous(), FOLLOW_WITHIN_S);
    await forSeconds(2);
  });
  expect((await pair.primary()).name === promoted.name, "the primary has moved again");
  return seconds;
}

/**
 * The primary's machine is lost: its PostgreSQL and its Patroni are killed. Patroni promotes the
 * synchronous standby, which has all that was answered. The engine finds it by itself. Then the
 * same the other way round.
 */
export const fault: Fault = {
  id: "F20",
  title: "PostgreSQL fails over: the primary's machine is lost, its standby is promoted; and back",
  standby: true,
  async run(context) {
    const pair = pairOf(context);
    const there = await failOver(context, pair);
    const back = await failOver(context, pair);
    context.note(`sales resumed after ${there.toFixed(1)} s and ${back.toFixed(1)} s`);
  },
};
