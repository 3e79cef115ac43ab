import assert from "node:assert/strict";
import { type Ledger, type LedgerWorld, openLedgerWorld } from "./ledger-fixture.ts";
import { waitFor } from "./wait-for.ts";

export type ReconcileWorld = LedgerWorld & {
  ledger: Ledger;
  /**
   * Adds an event of 20 places. Purchases of 3 and 2 are booked, a purchase of 1 waits, and a
   * cancellation of one ticket is booked or waits.
   */
  livelyEvent(cancellation: "booked" | "waits"): Promise<string>;
  /** Changes PostgreSQL without the engine's knowledge. */
  sabotage(text: string, ...values: unknown[]): Promise<unknown>;
};

/** Opens a Redis database of its own, since reconcile reads all of it, and one ledger. */
export async function openReconcileWorld(redisDatabase: number): Promise<ReconcileWorld> {
  const world = await openLedgerWorld(3, redisDatabase);
  const ledger = await world.startLedger();
  await waitFor(() => world.redis.runId());
  return {
    ...world,
    ledger,
    async livelyEvent(cancellation) {
      const eventId = await world.addEvent(20);
      const [sale] = await world.sell(eventId, [3, 2]);
      assert.ok(sale);
      if (cancellation === "booked") await world.cancelOne(eventId, sale);
      world.tell(eventId, []);
      await waitFor(async () => (await world.numbers(eventId)).pending === 0);
      if (cancellation === "waits") await world.cancelOne(eventId, sale);
      await world.sell(eventId, [1]);
      return eventId;
    },
    sabotage: (text, ...values) => world.database.query({ text, values }),
  };
}
