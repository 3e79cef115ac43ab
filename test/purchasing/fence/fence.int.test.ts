// Tests the fence on PostgreSQL with old statements that are held open or late.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { openDatabase } from "../../../lib/database/pool.ts";
import type { EventStore, LoadedEvent } from "../../../services/purchasing/worker/ports.ts";
import { COMMIT } from "../../../services/purchasing/store/event-store.sql.ts";
import { lockWaits } from "../../support/lock-waits.ts";
import {
  openSaleWorld,
  newTransactionId,
  saleOf,
  type SaleWorld,
} from "../../support/fixtures/sale-fixture.ts";
import { waitFor } from "../../support/wait-for.ts";

const GATE = 4_711;
/** COMMIT that waits for an advisory lock after the fence and before the sale. */
const HELD = COMMIT.text.replace(
  "FROM fence, unnest($5",
  `FROM fence CROSS JOIN LATERAL (
    SELECT pg_advisory_xact_lock_shared(${GATE}) FROM (SELECT fence.batch) AS after_fence
  ) AS gate, unnest($5`,
);
/** Reads the epoch without a row lock, a plausible mistake. */
const BARE_EXISTS = HELD.replace(
  /UPDATE event_worker SET batch = batch \+ 1,[^;]*?(WHERE .*)\n\s*RETURNING epoch, batch, (.*)\n/,
  (_all, where: string, at: string) =>
    `SELECT $2::bigint AS epoch, $3::bigint + 1 AS batch, ${at}
      WHERE EXISTS (SELECT 1 FROM event_worker ${where})\n`,
);

describe("the fence", () => {
  let world: SaleWorld;
  let gateKeeper: ReturnType<typeof openDatabase>;
  before(async () => {
    world = await openSaleWorld();
    const { host, port, username, password, database } = world.database.sequelize
      .config as unknown as Record<string, string>;
    gateKeeper = openDatabase(
      `postgres://${username}:${password}@${host}:${port}/${database}`,
      "long",
    );
  });
  after(async () => {
    await gateKeeper.close();
    await world.close();
  });

  /** Runs `task` while every held statement waits. */
  const whileHeld = <T>(task: (open: () => Promise<unknown>) => Promise<T>): Promise<T> =>
    gateKeeper.withConnection(async (connection) => {
      await connection.query({ text: "SELECT pg_advisory_lock($1)", values: [GATE] });
      let open = false;
      const release = async (): Promise<unknown> => {
        if (open) return undefined;
        open = true;
        return connection.query({ text: "SELECT pg_advisory_unlock($1)", values: [GATE] });
      };
      try {
        return await task(release);
      } finally {
        await release();
      }
    });
  /** Waits until the old worker's statement waits for the lock. */
  const isHeld = (): Promise<unknown> =>
    waitFor(
      async () =>
        (
          await gateKeeper.query({
            text: "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted",
            values: [GATE],
          })
        ).length === 1,
    );
  const isTakerWaiting = (): Promise<unknown> =>
    waitFor(async () => (await lockWaits(gateKeeper, "%INSERT INTO event_worker%")) === 1);
  const take = async (
    store: EventStore,
    eventId: string,
  ): Promise<{ epoch: number; event: LoadedEvent }> => {
    const epoch = (await store.takeEpoch(eventId)) ?? assert.fail("unknown event");
    return { epoch, event: await store.loadEvent(eventId) };
  };

  it("makes a new owner wait for the old statement and see its sales", async () => {
    const eventId = await world.addEvent(3);
    const [older, newer] = [world.store("old", HELD), world.store("new")];
    const { epoch, event } = await take(older, eventId);
    await whileHeld(async (release) => {
      const committing = older.commit({ eventId, epoch, batch: 0 }, saleOf(event, 2));
      await isHeld();
      const taking = take(newer, eventId);
      await isTakerWaiting();
      await release();
      assert.equal((await committing).type, "committed");
      assert.equal((await taking).event.available, 1);
    });
  });

  it("oversells with a bare EXISTS and no row lock (control)", async () => {
    const eventId = await world.addEvent(3);
    const [older, newer] = [world.store("old", BARE_EXISTS), world.store("new")];
    const { epoch, event } = await take(older, eventId);
    await whileHeld(async (release) => {
      const committing = older.commit({ eventId, epoch, batch: 0 }, saleOf(event, 2));
      await isHeld();
      const taken = await take(newer, eventId);
      assert.equal(taken.event.available, 3);
      assert.equal(
        (await newer.commit({ eventId, epoch: taken.epoch, batch: 0 }, saleOf(taken.event, 3)))
          .type,
        "committed",
      );
      await release();
      assert.equal((await committing).type, "committed");
    });
    assert.equal((await world.numbers(eventId)).active, 5, "5 tickets for 3 places");
  });

  it("rejects a late statement of an earlier epoch or batch", async () => {
    const eventId = await world.addEvent(10);
    const [older, newer] = [world.store("old"), world.store("new")];
    const old = await take(older, eventId);
    const fresh = await take(newer, eventId);
    assert.ok(fresh.epoch > old.epoch);
    assert.equal(
      (await older.commit({ eventId, epoch: old.epoch, batch: 0 }, saleOf(old.event, 1))).type,
      "fenced",
    );
    assert.equal(
      (await newer.commit({ eventId, epoch: fresh.epoch, batch: 0 }, saleOf(old.event, 1))).type,
      "committed",
    );
    assert.equal(
      (await newer.commit({ eventId, epoch: fresh.epoch, batch: 0 }, saleOf(old.event, 1))).type,
      "fenced",
    );
    assert.deepEqual(await world.numbers(eventId), {
      active: 1,
      sum: -1,
      rows: 1,
      epoch: fresh.epoch,
    });
  });

  it("keeps epochs growing by the clock, even after the row was lost", async () => {
    const eventId = await world.addEvent(1);
    const store = world.store("node");
    const first = await store.takeEpoch(eventId);
    await world.database.query({
      text: "DELETE FROM event_worker WHERE event_id = $1",
      values: [eventId],
    });
    const afterRestore = await waitFor(async () => {
      const epoch = await store.takeEpoch(eventId);
      return epoch !== first && epoch;
    });
    assert.ok(afterRestore > (first ?? 0));
    assert.equal(await store.takeEpoch(randomUUID()), undefined);
  });

  it("refuses to sell more than is left, whatever the worker believes", async () => {
    const eventId = await world.addEvent(3);
    const store = world.store("node");
    const { epoch, event } = await take(store, eventId);
    const result = await store.commit({ eventId, epoch, batch: 0 }, saleOf(event, 8));
    assert.ok(result.type === "failed" && result.reason === "oversell");
    assert.match(result.error.message, /event_worker_available_check/);
    assert.deepEqual(await world.numbers(eventId), { active: 0, sum: 0, rows: 0, epoch });
    const third = await store.commit({ eventId, epoch, batch: 0 }, saleOf(event, 3));
    assert.equal(third.type, "committed");
    assert.equal((await take(store, eventId)).event.available, 0);
  });

  it("computes what is left anew if an earlier release took the last epoch", async () => {
    const eventId = await world.addEvent(3);
    const store = world.store("node");
    const { epoch, event } = await take(store, eventId);
    assert.equal(
      (await store.commit({ eventId, epoch, batch: 0 }, saleOf(event, 1))).type,
      "committed",
    );
    // What the release before did: it took epochs and sold without `available`.
    await world.database.query({
      text: "UPDATE event_worker SET epoch = epoch + 1, batch = 0 WHERE event_id = $1",
      values: [eventId],
    });
    await world.database.query({
      text: "UPDATE event SET total_capacity = 5, capacity = 5 WHERE id = $1",
      values: [eventId],
    });
    assert.equal((await take(store, eventId)).event.available, 4);
  });

  it("rolls back if a count differs from the decision", async () => {
    const eventId = await world.addEvent(5);
    const store = world.store("node");
    const { epoch, event } = await take(store, eventId);
    const changes = {
      ...saleOf(event, 2),
      cancelled: [
        { transactionId: newTransactionId(), userId: randomUUID(), ticketId: randomUUID() },
      ],
    };
    const result = await store.commit({ eventId, epoch, batch: 0 }, changes);
    assert.equal(result.type, "failed");
    assert.match(
      result.error.message,
      /tickets cancelled differ from the decision: 0 instead of 1/,
    );
    assert.deepEqual(await world.numbers(eventId), { active: 0, sum: 0, rows: 0, epoch });
    assert.equal(
      (await store.commit({ eventId, epoch, batch: 0 }, saleOf(event, 1))).type,
      "committed",
      "the batch number was rolled back, too",
    );
  });

  it("settles a commit with a lost answer as one sale, early or late", async () => {
    for (const reaches of [true, false]) {
      const eventId = await world.addEvent(5);
      const store = world.store("node");
      let lost = 0;
      const lossy: EventStore = {
        ...store,
        async commit(ownership, changes) {
          if (lost++ > 0) return store.commit(ownership, changes);
          if (reaches) await store.commit(ownership, changes);
          // The other one arrives after its worker has taken a new epoch.
          else setTimeout(() => void store.commit(ownership, changes), 300);
          return { type: "unknown", error: new Error("connection cut") };
        },
      };
      const worker = world.worker(eventId, lossy);
      const answer = await worker.submit(
        {
          type: "BuyTickets",
          transactionId: newTransactionId(),
          userId: randomUUID(),
          quantity: 2,
        },
        false,
      );
      assert.ok(answer.ok && "replayed" in answer.value);
      assert.deepEqual([answer.value.quantity, answer.value.replayed], [2, false]);
      await worker.stop();
      await waitFor(
        async () =>
          (
            await gateKeeper.query({
              text: `SELECT 1 FROM pg_stat_activity WHERE state = 'active'
                AND application_name = 'boxoffice-sale' AND datname = current_database()`,
            })
          ).length === 0,
      );
      assert.equal((await world.numbers(eventId)).active, 2);
    }
  });

  it("refuses a cancellation if the event starts between decision and commit", async () => {
    const eventId = await world.addEvent(5, 1_200);
    const store = world.store("node");
    const userId = randomUUID();
    let delayMs = 0;
    const slow: EventStore = {
      ...store,
      commit: async (ownership, changes) => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        return store.commit(ownership, changes);
      },
    };
    const worker = world.worker(eventId, slow);
    const sale = await worker.submit(
      { type: "BuyTickets", transactionId: newTransactionId(), userId, quantity: 1 },
      false,
    );
    const ticketId = sale.ok && "tickets" in sale.value ? (sale.value.tickets[0]?.id ?? "") : "";
    delayMs = 1_500;
    const answer = await worker.submit(
      { type: "CancelTicket", transactionId: newTransactionId(), userId, ticketId },
      false,
    );
    assert.equal(answer.ok, false);
    // Nothing was freed, and both codes say so.
    assert.ok(!answer.ok && ["EVENT_OVER", "TRY_AGAIN"].includes(answer.refusal.code));
    assert.equal((await world.numbers(eventId)).active, 1);
    await worker.stop();
  });
});
