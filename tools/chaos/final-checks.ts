import { setTimeout as delay } from "node:timers/promises";
import { type Random, randomId, seededRandom } from "../testing/seeded-random.ts";
import { checkAnswers } from "./checks/answers.ts";
import { checkLedger } from "./checks/ledger.ts";
import { checkLimits, checkPlaces, checkQuiet, checkSoldOut } from "./checks/places.ts";
import { checkCancellations, checkLists, checkPurchases } from "./checks/sales.ts";
import type { Violation } from "./checks/violation.ts";
import { Customer, type Market } from "./load/customer.ts";
import type { Entry } from "./load/journal.ts";
import { readAvailableCopies, untilQuiet } from "./wait-until-quiet.ts";
import { type Places, readPlaces, readRows } from "./rows.ts";
import type { World } from "./test-bed.ts";

const SETTLE_PAUSE_MS = 250;
const COPIES_WITHIN_MS = 5_000;
const BUYERS = 8;
const MOST_AT_ONCE = 10;

/**
 * Checks everything after the load. Repeats commands of unknown outcome until they are settled,
 * waits until the ledger has drained (I7), sells the rest (I6), then compares the journal with the
 * rows.
 */
export async function finish(
  world: World,
  market: Market,
  events: readonly string[],
  random: Random,
  withinMs: number,
): Promise<{ violations: Violation[]; drainedSeconds: number }> {
  const unsettled = await settle(market, random, withinMs);
  const quiet = await untilQuiet(world, events, withinMs);
  const before = await readPlaces(world.database, events);
  const sold = new Map<string, number>();
  for (const { event } of before) {
    const count = await sellOut(market, event, random, withinMs);
    if (count !== undefined) sold.set(event, count);
  }
  // A ledger that did not drain the first time is not waited for again.
  if (quiet.violations.length === 0)
    quiet.violations.push(...(await untilQuiet(world, events, withinMs)).violations);
  const rows = await readRows(world.database, events);
  const after = new Map(rows.places.map((places) => [places.event, places]));
  const copies = await copiesWhenWritten(world, rows.places);
  const violations = [
    ...unsettled.map((entry): Violation => ({
      invariant: "I2",
      text: `${entry.op} ${entry.key} stays unknown: ${entry.code ?? ""} from ${entry.via}`,
    })),
    ...quiet.violations,
    ...before.flatMap((places) => [
      ...checkPlaces(places, "when quiet"),
      ...checkQuiet(places, undefined),
    ]),
    ...before.flatMap((places) => {
      const count = sold.get(places.event);
      return count === undefined
        ? []
        : checkSoldOut(places, count, after.get(places.event) ?? places);
    }),
    ...rows.places.flatMap((places) => [
      ...checkPlaces(places, "sold out"),
      ...checkQuiet(places, copies.get(places.event)),
    ]),
    // Each sale writes its copy, so an event that sold at the end must have one.
    ...rows.places.flatMap(({ event }): Violation[] =>
      copies.get(event) === undefined && (sold.get(event) ?? 0) > 0
        ? [
            {
              invariant: "I4",
              text: `Redis has no copy of what is left of event ${event}, sold just now`,
            },
          ]
        : [],
    ),
    ...checkLimits(rows, world.config.ticketsPerCustomerMax),
    ...checkPurchases(market.journal.entries, rows),
    ...checkCancellations(market.journal.entries, rows),
    ...checkLists(market.journal.entries),
    ...checkLedger(rows),
    ...checkAnswers(market.journal, rows, world.config.ticketsPerCustomerMax),
  ];
  return { violations, drainedSeconds: quiet.seconds };
}

/**
 * Repeats each command of unknown outcome with its key. Returns what is still unknown after
 * `withinMs`.
 */
async function settle(market: Market, random: Random, withinMs: number): Promise<Entry[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = market.journal.unsettled();
    if (left.length === 0 || performance.now() > deadline) return left;
    for (const entry of left)
      await new Customer(market, entry.user, random).once(
        entry,
        entry.op === "buy" ? { "Idempotency-Key": entry.key } : {},
        entry.via,
      );
    await delay(SETTLE_PAUSE_MS);
  }
}

/**
 * Buys ten at a time, then one at a time, until the event is sold out or nothing was sold for a
 * while. Returns the number of places sold; undefined if the event has begun.
 */
async function sellOut(
  market: Market,
  event: string,
  random: Random,
  withinMs: number,
): Promise<number | undefined> {
  let sold = 0;
  let over = false;
  let latestSaleMs = performance.now();
  const buyers = Array.from({ length: BUYERS }, async () => {
    const own = seededRandom(Math.floor(random() * 2 ** 31));
    for (let quantity = MOST_AT_ONCE; performance.now() < latestSaleMs + withinMs;) {
      const entry = await new Customer(market, randomId(own), own).buy(
        event,
        quantity,
        randomId(own),
      );
      if (entry.outcome === "ok") {
        sold += entry.tickets.length;
        latestSaleMs = performance.now();
      } else if (entry.code === "EVENT_OVER") return void (over = true);
      else if (entry.code !== "EVENT_SOLD_OUT") continue;
      else if (quantity === 1) return;
      else quantity = 1;
    }
  });
  await Promise.all(buyers);
  return over ? undefined : sold;
}

/**
 * Waits a moment for the last sale's copy, which is written beside its answer. Undefined if Redis
 * has no copy that a reader would trust.
 */
async function copiesWhenWritten(
  world: World,
  places: readonly Places[],
): Promise<Map<string, number | undefined>> {
  const deadline = performance.now() + COPIES_WITHIN_MS;
  for (;;) {
    const copies = await readAvailableCopies(
      world,
      places.map(({ event }) => event),
    );
    const right = places.every(({ event, capacity }) => copies.get(event) === capacity);
    if (right || performance.now() > deadline) return copies;
    await delay(SETTLE_PAUSE_MS);
  }
}
