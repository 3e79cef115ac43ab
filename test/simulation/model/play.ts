import { checkAvailableCopies } from "../../../services/ledger/reconcile/check-availability-cache.ts";
import { Checks } from "./checks.ts";
import { Customers } from "./customers.ts";
import { TROUBLE_MS } from "./draw.ts";
import { createFaults } from "./faults.ts";
import type { History } from "./steps.ts";
import { type Plant, World } from "./world.ts";

/** After the trouble: how long until everyone must have had an answer and all must be booked. */
const QUIET_WITHIN_MS = 40_000;
/** The longest that anything begun before is still slow, frozen, away or on its way. */
const CALM_MS = 8_000;
/** By then what can mend itself has; what an operator must mend, an operator mends. */
const OPERATOR_AFTER_MS = 6_000;

/** Plays a history and answers what was wrong; an empty list is a sound history. */
export async function play(history: History, plant: Plant = {}): Promise<string[]> {
  const world = new World(history, plant);
  const { kernel } = world;
  const checks = new Checks(world);
  const customers = new Customers(world, checks);
  const happen = createFaults(world, () => checks.restored());
  for (const fault of history.faults) kernel.after(fault.atMs, "fate", () => happen(fault));
  for (const demand of history.demands)
    kernel.after(demand.atMs, "customers", () => void customers.ask(demand));

  await kernel.run(TROUBLE_MS + 1);
  calm(world);
  kernel.after(OPERATOR_AFTER_MS, "operator", () => repair(world));
  const calmMs = kernel.nowMs + CALM_MS;
  const isQuiet = (): boolean => kernel.nowMs > calmMs && customers.busy === 0 && isBooked(world);
  await kernel.run(kernel.nowMs + QUIET_WITHIN_MS, isQuiet);
  if (customers.busy > 0) checks.fail(`${customers.busy} customers never got an end`);
  await sellOut(world, customers, checks);
  await kernel.run(kernel.nowMs + QUIET_WITHIN_MS, isQuiet);
  // What is still on its way to Redis arrives.
  await kernel.run(kernel.nowMs + 2_000);
  if (mayKeepAnOldCopy(history)) await reconcile(world);
  checks.atTheEnd();
  return checks.wrong;
}

/** From now on nothing new goes wrong; what is slow, frozen or away comes back in its time. */
function calm(world: World): void {
  const { network, slow, queue, bus, database } = world;
  network.faulty = false;
  world.killAfterCommit = false;
  for (const ledger of world.ledgers) ledger.diesAfterCommit = false;
  slow.untilMs = 0;
  queue.calm();
  bus.agree();
  for (const event of database.events.values()) event.refusesBookingUntilMs = 0;
}

/** What DESIGN.md leaves to an operator: rows put aside are set to pending again, dead letters are replayed. */
function repair({ database, queue }: World): void {
  for (const { rows } of database.events.values())
    for (const row of rows.pending.values()) row.status = "pending";
  queue.replayDead();
}

/**
 * A Redis emptied under its run can keep an older copy, since a late writer finds nothing newer there; so can one that was emptied for a backup while a worker
 * was about to write: until the next sale, or until `ledger.reconcile`, which docs/operations.md asks for after a restore.
 */
function mayKeepAnOldCopy({ faults }: History): boolean {
  return faults.some(
    (fault) => fault.type === "restore" || (fault.type === "redis" && fault.what === "flush"),
  );
}

/** What `ledger.reconcile` does with copies. */
async function reconcile({ kernel, redis, database }: World): Promise<void> {
  const truths = () =>
    [...database.events.values()].map(({ eventId, rows, unbooked }) => {
      return { eventId, available: rows.capacity + unbooked, epoch: rows.epoch, batch: rows.batch };
    });
  const clock = kernel.clockOf("operator");
  void checkAvailableCopies(redis.client("operator"), truths(), {
    mend: true,
    readNow: async () => truths(),
    clock,
  });
  await kernel.run(kernel.nowMs + 2_000);
}

function isBooked({ database, queue }: World): boolean {
  return (
    queue.empty &&
    queue.dead.length === 0 &&
    [...database.events.values()].every(({ rows }) => rows.pending.size === 0)
  );
}

/** I6: selling out sells exactly the rest. */
async function sellOut(world: World, customers: Customers, checks: Checks): Promise<void> {
  const { kernel, database } = world;
  for (const event of database.events.values()) {
    if (kernel.nowMs >= event.startsAtMs) continue;
    const free = event.rows.total - event.active.length;
    const late = Array.from({ length: free + 2 }, (_, index) =>
      customers.buy(event.eventId, `late-${index}`, "last", 1, 3),
    );
    let sold: number | undefined;
    void Promise.all(late).then((counts) => (sold = counts.reduce((sum, count) => sum + count, 0)));
    await kernel.run(kernel.nowMs + QUIET_WITHIN_MS, () => sold !== undefined);
    if (sold !== free)
      checks.fail(`I6: ${free} places were free, ${sold ?? "nobody knows how many"} were sold`);
  }
}
