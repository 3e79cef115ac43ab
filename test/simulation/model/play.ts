import { checkAvailableCopies } from "../../../services/ledger/reconcile/check-availability-cache.ts";
import { Checks } from "./checks.ts";
import { Customers } from "./customers.ts";
import { TROUBLE_MS } from "./draw.ts";
import { createFaults } from "./faults.ts";
import { Recorder } from "./recorder.ts";
import type { History } from "./steps.ts";
import { type Plant, World } from "./world.ts";

/** Time in which all customers must have an answer and all rows must be booked. */
const QUIET_WITHIN_MS = 40_000;
/** Longer than any delay, freeze or outage that a fault can start. */
const CALM_MS = 8_000;
/** Time for automatic recovery. After it, the simulated operator repairs the rest. */
const OPERATOR_AFTER_MS = 6_000;

/** Plays a history and returns the violations. An empty list is a sound history. */
export async function play(history: History, plant: Plant = {}): Promise<string[]> {
  const world = new World(history, plant);
  const { kernel } = world;
  const checks = new Checks(world);
  const recorder = new Recorder(world);
  const customers = new Customers(world, checks, recorder);
  const happen = createFaults(world, (backup) => {
    checks.restored();
    recorder.restored(backup);
  });
  for (const fault of history.faults) kernel.after(fault.atMs, "fate", () => happen(fault));
  for (const demand of history.demands)
    kernel.after(demand.atMs, "customers", () => void customers.ask(demand));

  await kernel.run(TROUBLE_MS + 1);
  calm(world);
  kernel.after(OPERATOR_AFTER_MS, "operator", () => repair(world));
  const calmMs = kernel.nowMs + CALM_MS;
  const isQuiet = (): boolean => kernel.nowMs > calmMs && customers.busy === 0 && isBooked(world);
  await kernel.run(kernel.nowMs + QUIET_WITHIN_MS, isQuiet);
  if (customers.busy > 0) checks.fail(`${customers.busy} calls of customers never ended`);
  await sellOut(world, customers, checks);
  await kernel.run(kernel.nowMs + QUIET_WITHIN_MS, isQuiet);
  // Let pending writes reach Redis.
  await kernel.run(kernel.nowMs + 2_000);
  if (mayKeepAnOldCopy(history)) await reconcile(world);
  checks.checkFinalState();
  return [...checks.violations, ...recorder.judge()];
}

/** Stops new faults. Slow and frozen parts recover in their own time. */
function calm(world: World): void {
  const { network, slow, queue, bus, database } = world;
  network.faulty = false;
  world.killAfterCommit = false;
  for (const ledger of world.ledgers) ledger.killedAfterCommit = false;
  slow.untilMs = 0;
  queue.calm();
  bus.agree();
  for (const event of database.events.values()) event.refusesBookingUntilMs = 0;
}

/** Repairs as an operator does: retries quarantined rows and replays dead letters. */
function repair({ database, queue }: World): void {
  for (const { rows } of database.events.values())
    for (const row of rows.pending.values()) row.status = "pending";
  queue.replayDead();
}

/**
 * Tells whether an older copy in Redis is allowed. An emptied Redis has no version to compare, so a
 * late writer can store an older copy. It lasts until the next sale or `ledger.reconcile`, see
 * docs/operations.md.
 */
function mayKeepAnOldCopy({ faults }: History): boolean {
  return faults.some(
    (fault) => fault.type === "restore" || (fault.type === "redis" && fault.what === "flush"),
  );
}

/** Repairs copies as `ledger.reconcile` does. */
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

/** Checks I6: selling out sells exactly the free places. Puts stopped events back on sale first. */
async function sellOut(world: World, customers: Customers, checks: Checks): Promise<void> {
  const { kernel, database } = world;
  for (const event of database.events.values()) {
    if (kernel.nowMs >= event.rows.startsAtMs) continue;
    if (event.rows.status !== "scheduled") {
      const { total } = event.rows;
      const again = { total, status: "scheduled", startsInMs: null } as const;
      let imported = false;
      void world
        .importEvent(event.eventId, { ...again, takesMs: 0, nodesNotified: true })
        .then(() => (imported = true));
      await kernel.run(kernel.nowMs + QUIET_WITHIN_MS, () => imported);
    }
    const free = event.rows.total - event.active.length;
    const purchases = Array.from({ length: free + 2 }, (_, index) =>
      customers.buy(event.eventId, `late-${index}`, "last", 1, 3),
    );
    let sold: number | undefined;
    void Promise.all(purchases).then(
      (counts) => (sold = counts.reduce((sum, count) => sum + count, 0)),
    );
    await kernel.run(kernel.nowMs + QUIET_WITHIN_MS, () => sold !== undefined);
    if (sold !== free)
      checks.fail(`I6: ${free} places were free, ${sold ?? "an unknown number"} were sold`);
  }
}
