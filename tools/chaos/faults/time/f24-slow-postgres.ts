import { setTimeout as delay } from "node:timers/promises";
import { randomId, seededRandom } from "../../../testing/seeded-random.ts";
import { answersBegun } from "../../checks/good-answers.ts";
import type { Fault, FaultContext } from "../../fault.ts";
import { startLoad } from "../../load/clients.ts";
import { Customer } from "../../load/customer.ts";
import { type Entry, isGood } from "../../load/journal.ts";

/** They want more of the hot event than PostgreSQL can write while it is slow. */
const CROWD = 5;
const CROWD_QUANTITY = 10;
const CROWD_PAUSE_MS = 100;
const QUIET_EVENTS = 6;
const QUIET_CLIENTS = 6;
const SLOW_S = 10;
/** I13. */
const P99_ADDED_MS = 200;
/** Of the rate that the slow rows leave, or of the usual rate if that is lower. */
const RATE_SHARE = 0.5;
const UNKNOWN_PERCENT = 1;

type Slowness = { rows: "hot" | "all"; ms: number };

/**
 * Replaces the trigger's function, which takes no lock of the table. Without `slow` a row takes the
 * usual time.
 */
async function setSlowness({ world, hot }: FaultContext, slow?: Slowness): Promise<void> {
  const which = slow?.rows === "all" ? "true" : `NEW.event_id = '${hot}'`;
  const pause = slow && `IF ${which} THEN PERFORM pg_sleep(${slow.ms / 1_000}); END IF;`;
  await world.database.query({
    text: `CREATE OR REPLACE FUNCTION chaos_slow_row() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN ${pause ?? ""} RETURN NEW; END $$`,
  });
}

/** Buys the hot event, ten tickets at a time, until it is stopped. */
function startCrowd({ market, hot, random }: FaultContext): { stop(): Promise<void> } {
  let stopped = false;
  const crowd = Array.from({ length: CROWD }, async () => {
    const own = seededRandom(Math.floor(random() * 2 ** 31));
    while (!stopped) {
      await new Customer(market, randomId(own), own).buy(hot, CROWD_QUANTITY, randomId(own));
      await delay(CROWD_PAUSE_MS);
    }
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(crowd);
    },
  };
}

type Measured = {
  /** Tickets of the hot event that are sold or cancelled per second. */
  rate: number;
  unknownPercent: number;
  /** Purchases of quiet events. */
  quiet: { count: number; bad: number; p99: number };
};

/** Measures a phase that ends now. */
function measuredSince(
  entries: readonly Entry[],
  hot: string,
  quiet: readonly string[],
  fromMs: number,
): Measured {
  const since = entries.filter(({ started }) => started >= fromMs);
  const { by, bad } = answersBegun(since, fromMs, Infinity);
  const rows = since
    .filter(({ event, outcome }) => event === hot && outcome === "ok")
    .reduce((sum, { tickets }) => sum + tickets.length, 0);
  const ofQuiet = since.filter(({ op, event = "" }) => op === "buy" && quiet.includes(event));
  const waits = ofQuiet.map(({ started, ended }) => ended - started).sort((a, b) => a - b);
  return {
    rate: (1_000 * rows) / (performance.now() - fromMs),
    unknownPercent: (100 * (bad["buy 503 OUTCOME_UNKNOWN"] ?? 0)) / Math.max(1, by.buy.answers),
    quiet: {
      count: waits.length,
      bad: ofQuiet.filter((entry) => !isGood(entry)).length,
      p99: waits[Math.floor(waits.length * 0.99)] ?? Infinity,
    },
  };
}

function check(
  { expect, note }: FaultContext,
  { rows, ms }: Slowness,
  usual: Measured,
  slow: Measured,
) {
  const what = `${ms} ms a row of ${rows === "hot" ? "the hot event" : "all"}`;
  const possible = Math.min(usual.rate, 1_000 / ms);
  expect(
    slow.rate >= RATE_SHARE * possible,
    `${what}: ${slow.rate.toFixed(0)} rows per second; ${possible.toFixed(0)} are possible`,
  );
  expect(
    slow.unknownPercent < UNKNOWN_PERCENT,
    `${what}: ${slow.unknownPercent.toFixed(1)} % of the purchases had an unknown outcome`,
  );
  const { count, bad, p99 } = slow.quiet;
  if (rows === "hot")
    expect(
      count > 0 && bad === 0 && p99 < usual.quiet.p99 + P99_ADDED_MS,
      `I13, ${what}: ${bad} of ${count} purchases of quiet events were bad, their p99 was ` +
        `${p99.toFixed(0)} ms, usually ${usual.quiet.p99.toFixed(0)}`,
    );
  note(`${what}: ${slow.rate.toFixed(0)} rows per second, quiet p99 ${p99.toFixed(0)} ms`);
}

/**
 * Each ticket's row takes a while in PostgreSQL: those of the hot event, then those of all. Sales
 * go on at the rate that this leaves, and events that are not slow do not notice.
 */
export const fault: Fault = {
  id: "F24",
  title: "slow PostgreSQL: 1 ms, then 10 ms a row; of the hot event, then of all",
  hotCapacity: 30_000,
  async prepare(context) {
    await setSlowness(context);
    await context.world.database.query({
      text: `CREATE TRIGGER chaos_slow BEFORE INSERT OR UPDATE ON event_tickets
        FOR EACH ROW EXECUTE FUNCTION chaos_slow_row()`,
    });
  },
  async run(context) {
    const { market, hot, random, putOnSale, phase, forSeconds, mark, note } = context;
    const quiet: string[] = [];
    while (quiet.length < QUIET_EVENTS) quiet.push(await putOnSale(2_000));
    const seed = Math.floor(random() * 1_000_000);
    const loads = [
      startCrowd(context),
      startLoad(market, { seed, clients: QUIET_CLIENTS, thinkMs: 20, events: quiet }),
    ];
    const measured = async (name: string): Promise<Measured> => {
      const fromMs = performance.now();
      await phase(name, () => forSeconds(SLOW_S));
      return measuredSince(market.journal.entries, hot, quiet, fromMs);
    };
    try {
      // The first sales of all events take epochs.
      await forSeconds(2);
      const usual = await measured("the usual speed");
      note(
        `usual: ${usual.rate.toFixed(0)} rows per second, quiet p99 ${usual.quiet.p99.toFixed(0)} ms`,
      );
      for (const rows of ["hot", "all"] as const)
        for (const ms of [1, 10]) {
          await setSlowness(context, { rows, ms });
          check(context, { rows, ms }, usual, await measured(`${ms} ms a row of ${rows}`));
        }
    } finally {
      await setSlowness(context);
      mark();
      await phase("the usual speed again", () => forSeconds(3));
      await Promise.all(loads.map((load) => load.stop()));
    }
  },
  async afterwards({ world }) {
    await world.database.query({ text: "DROP TRIGGER IF EXISTS chaos_slow ON event_tickets" });
    await world.database.query({ text: "DROP FUNCTION IF EXISTS chaos_slow_row" });
  },
};
