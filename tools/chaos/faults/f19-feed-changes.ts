import type { EventRecord, EventStatus } from "../../../domain/event-record.ts";
import { pick, randomId } from "../../testing/seeded-random.ts";
import { Customer } from "../load/customer.ts";
import type { Fault, FaultContext } from "../fault.ts";
import type { ImportEntry } from "../load/journal.ts";

const CHANGES = 40;
const EVERY_S = 0.3;
const RESUMED_WITHIN_MS = 2_000;
/** Exceeds the time in which the sweeper books what a message did not bring. */
const BOOKED_WITHIN_S = 10;

type Sale = { sourceId: string; date: string; total: number; active: number; lag: number };
type Imported = { value: { outcomes: { outcome: string; reason?: string }[] } };

async function saleOf({ world }: FaultContext, event: string): Promise<Sale> {
  const text = `
    SELECT source_id AS "sourceId", to_char(date, 'YYYY-MM-DD') AS date, total_capacity AS total,
      (SELECT count(*)::integer FROM event_tickets
        WHERE event_id = event.id AND cancelled_at IS NULL) AS active,
      (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
        FROM event_ticket_transactions WHERE event_id = event.id) AS lag
    FROM event WHERE id = $1`;
  const [sale] = await world.database.query<Sale>({ text, values: [event] });
  if (sale === undefined) throw new Error(`There is no event ${event}`);
  return sale;
}

/** The event as a feed sends it, with another total. `later`: minutes after 19:00. */
function recordOf(
  { sourceId, date }: Sale,
  totalCapacity: number,
  later = 0,
  status: EventStatus = "scheduled",
): EventRecord {
  const starts = `20:${String(later).padStart(2, "0")}`;
  return {
    source: "chaos",
    sourceId,
    name: "Chaos",
    type: "concert",
    location: "Berlin",
    country: null,
    url: null,
    date,
    startTime: starts,
    endTime: "22:00",
    timeZone: "Europe/Berlin",
    duration: 120 - later,
    totalCapacity,
    status,
    startsAt: `${date}T19:${String(later).padStart(2, "0")}:00.000Z`,
    endsAt: `${date}T21:00:00.000Z`,
  };
}

/** Imports a record, and notes it in the journal. */
async function importOne(
  { world, market }: FaultContext,
  event: string,
  record: EventRecord,
): Promise<{ outcome: string; reason?: string }> {
  const broker = await world.bus();
  const started = performance.now();
  const note = (outcome: ImportEntry["outcome"]): void => {
    const { totalCapacity: total, status } = record;
    const ended = performance.now();
    market.journal.imports.push({ event, total, status, started, ended, outcome });
  };
  try {
    const { value } = await broker.call<Imported, object>(
      "catalog.import",
      { records: [record] },
      { timeout: 65_000 },
    );
    const first = value.outcomes[0] ?? { outcome: "none" };
    if (first.outcome === "updated") note("imported");
    else if (/below the \d+ tickets/.test(first.reason ?? "")) note("refused");
    return first;
  } catch (error) {
    note("unknown");
    throw error;
  }
}

/**
 * Sells the event out through the feed, then raises its capacity. Returns the milliseconds until
 * the first sale.
 */
async function sellOutAndRaise(context: FaultContext, event: string): Promise<number> {
  const { market, random, expect, until } = context;
  // Purchases between count and change make the total too small. The change is refused then, and
  // repeated.
  await until(
    "the total is what is sold",
    async () =>
      (
        await importOne(
          context,
          event,
          recordOf(await saleOf(context, event), (await saleOf(context, event)).active),
        )
      ).outcome === "updated",
    10,
  );
  const buyer = new Customer(market, randomId(random), random);
  const refused = await buyer.buy(event, 10, randomId(random));
  expect(
    refused.code === "EVENT_SOLD_OUT",
    `a purchase of an event sold out by the feed was answered ${refused.code ?? refused.outcome}`,
  );
  const sale = await saleOf(context, event);
  await importOne(context, event, recordOf(sale, sale.total + 500));
  const raisedMs = performance.now();
  await until(
    "sales resume",
    async () => (await buyer.buy(event, 1, randomId(random))).outcome === "ok",
    10,
  );
  return performance.now() - raisedMs;
}

/** Postpones and cancels an event on sale, and puts it back. */
async function stopAndGoOn(context: FaultContext, event: string): Promise<void> {
  const { market, random, expect, until } = context;
  const buyer = new Customer(market, randomId(random), random);
  for (const status of ["postponed", "cancelled", "scheduled"] as const) {
    const sale = await saleOf(context, event);
    const { outcome } = await importOne(context, event, recordOf(sale, sale.total, 0, status));
    expect(outcome === "updated", `an event was not ${status}: ${outcome}`);
    if (status === "scheduled") break;
    const { code, outcome: answer } = await buyer.buy(event, 1, randomId(random));
    expect(
      code === `EVENT_${status.toUpperCase()}`,
      `a purchase of a ${status} event was answered ${code ?? answer}`,
    );
  }
  await until(
    "sales resume",
    async () => (await buyer.buy(event, 1, randomId(random))).outcome === "ok",
    10,
  );
}

/**
 * A feed changes totals and times during sales. Sold tickets stay sold, and the ledger continues.
 */
export const fault: Fault = {
  id: "F19",
  title: "a feed changes capacity and times of events on sale",
  async run(context) {
    const { events, hot, random, phase, forSeconds, mark, expect, note } = context;
    const counts: Record<string, number> = {};
    let longest = 0;
    await phase(`${CHANGES} changes`, async () => {
      for (let count = 0; count < CHANGES; count += 1) {
        const event = count % 2 === 0 ? hot : pick(events, random);
        const sale = await saleOf(context, event);
        longest = Math.max(longest, sale.lag);
        const below = random() < 0.2;
        const total = below
          ? Math.floor(sale.active * random())
          : sale.active + Math.floor(random() * 400);
        const { outcome, reason = "" } = await importOne(
          context,
          event,
          recordOf(sale, total, Math.floor(random() * 30)),
        );
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        if (below && sale.active > 0)
          expect(
            outcome === "refused",
            `a total of ${total} was accepted although ${sale.active} tickets were sold`,
          );
        if (outcome === "refused")
          expect(
            /below the \d+ tickets that are sold/.test(reason),
            `a change was refused: ${reason}`,
          );
        await forSeconds(EVERY_S);
      }
    });
    mark();
    const resumed: number[] = [];
    await phase("sold out by the feed, and raised again", async () => {
      for (const event of events.slice(0, 2)) resumed.push(await sellOutAndRaise(context, event));
    });
    await phase("postponed, cancelled and back on sale", () => stopAndGoOn(context, hot));
    for (const ms of resumed)
      expect(
        ms <= RESUMED_WITHIN_MS,
        `sales resumed ${Math.round(ms)} ms after the total was raised`,
      );
    expect(longest <= BOOKED_WITHIN_S, `a row waited ${longest.toFixed(1)} s to be booked`);
    note(
      `${Object.entries(counts)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(", ")}; sales resumed after ${resumed.map((ms) => Math.round(ms)).join(" and ")} ms`,
    );
  },
};
