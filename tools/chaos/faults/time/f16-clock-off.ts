import { setTimeout as delay } from "node:timers/promises";
import { randomId, seededRandom } from "../../../testing/seeded-random.ts";
import { checkPurchases } from "../../checks/sales.ts";
import { Customer } from "../../load/customer.ts";
import type { Fault, FaultContext } from "../../fault.ts";
import { Journal } from "../../load/journal.ts";
import { readRows } from "../../rows.ts";

const OFF_MS = 90_000;
const STARTS_IN_MS = 5_000;
const BUYERS = 3;

function clockOff(ms: number): Record<string, string> {
  const preload = new URL("../../shifted-clock.ts", import.meta.url);
  preload.searchParams.set("ms", String(ms));
  return { NODE_OPTIONS: `--import=${preload.href}` };
}

/** Sells an event of that node until it starts. PostgreSQL's clock decides, not the node's. */
async function sellsUntilItStarts(context: FaultContext, node: string): Promise<void> {
  const { world, market, random, expect, namedOwnerOf } = context;
  let beganMs: number;
  let event: string;
  do {
    beganMs = performance.now();
    event = await world.addEvent(1_000, STARTS_IN_MS);
  } while (namedOwnerOf(event) !== node);
  const journal = new Journal();
  const own = { ...market, journal };
  const buyers = Array.from({ length: BUYERS }, async () => {
    const chance = seededRandom(Math.floor(random() * 2 ** 31));
    while (performance.now() < beganMs + STARTS_IN_MS + 1_500) {
      await new Customer(own, randomId(chance), chance).buy(event, 1, randomId(chance));
      await delay(50);
    }
  });
  await Promise.all(buyers);
  const early = journal.entries.filter(
    ({ code, ended }) => code === "EVENT_OVER" && ended < beganMs + STARTS_IN_MS,
  );
  expect(
    early.length === 0,
    `${early.length} purchases were answered EVENT_OVER before the event started`,
  );
  const over = journal.entries.filter(({ code }) => code === "EVENT_OVER");
  expect(
    over.length > 0 && journal.entries.some(({ outcome }) => outcome === "ok"),
    "the event was not on sale across its start",
  );
  const late = await world.database.query({
    text:
      "SELECT 1 FROM event_tickets JOIN event ON event.id = event_id " +
      "WHERE event_id = $1 AND purchased_at >= starts_at",
    values: [event],
  });
  expect(late.length === 0, `${late.length} tickets were sold after the start`);
  for (const { text } of checkPurchases(journal.entries, await readRows(world.database, [event])))
    expect(false, text);
}

/** Shifts a node's wall clock. Tokens are accepted within their leeway; events start on time. */
export const fault: Fault = {
  id: "F16",
  title: `a clock ${OFF_MS / 1_000} s off on one node`,
  async run(context) {
    const { phase, restartWith, forSeconds, namedOwnerOf, hot, note, mark } = context;
    for (const ms of [-OFF_MS, OFF_MS])
      await phase(`api-2 is ${ms / 1_000} s off`, async () => {
        await restartWith("api-2", clockOff(ms));
        await forSeconds(3);
      });
    for (const ms of [-OFF_MS, OFF_MS])
      await phase(`${namedOwnerOf(hot)} is ${ms / 1_000} s off`, async () => {
        await restartWith(namedOwnerOf(hot), clockOff(ms));
        await sellsUntilItStarts(context, namedOwnerOf(hot));
      });
    mark();
    note("gateway and worker, ahead and behind");
  },
  bounds: ({ bad }) =>
    Object.keys(bad)
      .filter((kind) => /40[13]/.test(kind))
      .map((kind) => `${kind}: a token was refused`),
};
