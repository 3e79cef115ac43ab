import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { provideBinaries } from "../../../dev-servers/packages.ts";
import { answersBegun } from "../../checks/good-answers.ts";
import { checkCancellations, checkPurchases } from "../../checks/sales.ts";
import type { Fault, FaultContext } from "../../fault.ts";
import { startLoad } from "../../load/clients.ts";
import { type Entry, Journal } from "../../load/journal.ts";
import { readRows } from "../../rows.ts";

const JUMP_S = 3_600;
const AHEAD_S = 6;
/** One event starts while the clock is ahead only; one starts after it is back. */
const LATER_IN_MS = (JUMP_S / 2) * 1_000;
const SOON_IN_MS = 20_000;
const SOLD_AGAIN_WITHIN_S = 5;
/** Events that start in a month do not notice. */
const OTHERS_PERCENT = 99;
/** Where the loader finds the library, as Debian's own `faketime` names it. */
const LIBRARY = "/usr/$LIB/faketime/libfaketime.so.1";

const fileOf = ({ servers }: Pick<FaultContext, "servers">): string =>
  join(servers.folder, "postgres", "clock-offset");

/** Sets the clock that all of PostgreSQL's processes read. Replaces the file in one step. */
function setClock(context: FaultContext, seconds: number): void {
  const file = fileOf(context);
  writeFileSync(`${file}.new`, `+${seconds}`, { mode: 0o644 });
  renameSync(`${file}.new`, file);
}

/** How far PostgreSQL's clock is ahead of ours, in seconds. */
async function aheadOf({ world }: FaultContext): Promise<number> {
  const text = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms";
  const [row] = await world.database.query<{ ms: number }>({ text });
  return Math.round(((row?.ms ?? 0) - Date.now()) / 1_000);
}

const refusedAsOver = (entries: readonly Entry[], event: string, fromMs: number): number =>
  entries.filter(
    ({ event: of, started, code }) => of === event && started >= fromMs && code === "EVENT_OVER",
  ).length;

/**
 * PostgreSQL's clock, which decides when an event has started, jumps an hour ahead and back, by
 * libfaketime. Nothing is sold after a start by that clock, and what it had closed sells again.
 */
export const fault: Fault = {
  id: "F27",
  title: "PostgreSQL's clock jumps an hour ahead and back",
  hotCapacity: 8_000,
  async prepare(context) {
    await provideBinaries(["faketime"], () => undefined);
    setClock(context, 0);
    await context.servers.server("postgres").restart({
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: fileOf(context),
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    });
  },
  async run(context) {
    const { world, market, hot, random, phase, forSeconds, until, mark, expect, note } = context;
    const beganMs = performance.now();
    const [later, soon] = [
      await world.addEvent(3_000, LATER_IN_MS),
      await world.addEvent(3_000, SOON_IN_MS),
    ];
    // A journal of their own: by our clock it is wrong that they are over.
    const journal = new Journal();
    const load = startLoad(
      { ...market, journal },
      { seed: Math.floor(random() * 1_000_000), clients: 6, thinkMs: 40, events: [later, soon] },
    );
    const { entries } = journal;
    const sold = (event: string, fromMs: number, told = entries): number =>
      told.filter(
        ({ op, event: of, started, outcome }) =>
          op === "buy" && of === event && started >= fromMs && outcome === "ok",
      ).length;
    try {
      await until("both events sell", () => sold(later, beganMs) > 5 && sold(soon, beganMs) > 5, 5);
      const aheadMs = performance.now();
      await phase("an hour ahead", async () => {
        setClock(context, JUMP_S);
        await forSeconds(AHEAD_S);
        const ahead = await aheadOf(context);
        expect(Math.abs(ahead - JUMP_S) < 5, `PostgreSQL's clock was ${ahead} s ahead`);
      });
      for (const event of [later, soon])
        expect(refusedAsOver(entries, event, aheadMs) > 0, "no purchase was answered EVENT_OVER");
      const backMs = performance.now();
      mark();
      await phase("back", async () => {
        setClock(context, 0);
        await until(
          "what was closed sells again",
          () => sold(later, backMs) > 5 && sold(soon, backMs) > 5,
          SOLD_AGAIN_WITHIN_S,
        );
        note(`sold again after ${((performance.now() - backMs) / 1_000).toFixed(1)} s`);
        expect(Math.abs(await aheadOf(context)) < 5, "PostgreSQL's clock is not back");
      });
      await phase("an event starts", async () => {
        await until("it has started", () => performance.now() > beganMs + SOON_IN_MS);
        const startedMs = performance.now();
        await until("it is over", () => refusedAsOver(entries, soon, startedMs) > 5, 5);
        expect(sold(later, startedMs) > 0, "the event that has not started no longer sells");
      });
      const { by } = answersBegun(market.journal.entries, aheadMs, Infinity);
      expect(
        by.buy.percent >= OTHERS_PERCENT && sold(hot, aheadMs, market.journal.entries) > 0,
        `${by.buy.good} of ${by.buy.answers} purchases of the other events were good`,
      );
    } finally {
      setClock(context, 0);
      await load.stop();
    }
    const text =
      "SELECT 1 FROM event_tickets JOIN event ON event.id = event_id " +
      "WHERE event_id = ANY ($1::uuid[]) AND purchased_at >= starts_at";
    const late = await world.database.query({ text, values: [[later, soon]] });
    expect(late.length === 0, `${late.length} tickets were sold after the start`);
    const rows = await readRows(world.database, [later, soon]);
    for (const found of [...checkPurchases(entries, rows), ...checkCancellations(entries, rows)])
      expect(false, found.text);
  },
  async afterwards({ servers }) {
    await servers.server("postgres").restart();
  },
};
