// What a worker answers while commits fail, retries arrive and epochs pass, in virtual time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BatchExpired } from "../../lib/concurrency/batcher.ts";
import type { Needs } from "../../services/purchasing/worker/ports.ts";
import { EVENT_ID, openNode, wordOf } from "../support/fixtures/one-node.ts";

describe("an event worker's answers", () => {
  it("never answers TRY_AGAIN for an old sale in a batch whose commit fails", async () => {
    let failing = false;
    const node = openNode(5, ({ store, clock }) => ({
      store: {
        ...store,
        commit: async (ownership, changes) => {
          if (!failing) return store.commit(ownership, changes);
          await new Promise<void>((resolve) => clock.after(300, resolve));
          return { type: "failed", error: new Error("the disk is full") };
        },
        readPurchases: (eventId, keys) =>
          failing ? Promise.reject(new Error("away")) : store.readPurchases(eventId, keys),
      },
    }));
    assert.equal(await node.buy("old", 100), "sold");
    failing = true;
    const answers = new Map<string, string>();
    for (const key of ["old", "new"])
      void node.workers
        .submit(EVENT_ID, node.command(key), false)
        .then((outcome) => answers.set(key, wordOf(outcome)));
    await new Promise(setImmediate);
    await node.kernel.run(node.kernel.nowMs + 3_000);
    assert.deepEqual(Object.fromEntries(answers), { new: "TRY_AGAIN", old: "OUTCOME_UNKNOWN" });
  });

  it("gives a sold key its sale in place of TRY_AGAIN, and other keys TRY_AGAIN", async () => {
    let isOwner = true;
    const node = openNode(5, ({ router, clock }) => ({
      router: { ...router, isOwner: () => isOwner, ping: () => Promise.resolve(true) },
      lease: {
        acquire: (_eventId, waitMs) =>
          new Promise((resolve) =>
            clock.after(waitMs, () =>
              resolve({ held: () => isOwner, release: () => Promise.resolve() }),
            ),
          ),
      },
    }));
    assert.equal(await node.buy("sold", 2_000), "sold");
    await node.kernel.run(node.kernel.nowMs + 40_000);
    isOwner = false;
    const alive = { insteadOf: "the owner, which is alive" };
    assert.equal(await node.buy("sold", 1_000, alive), "replayed");
    assert.equal(await node.buy("new", 1_000, alive), "TRY_AGAIN");
  });

  it("joins a retry to the sale under way, however long its commit takes", async () => {
    const node = openNode(5, ({ store, clock }) => ({
      store: {
        ...store,
        commit: async (ownership, changes) => {
          await new Promise<void>((resolve) => clock.after(800, resolve));
          return store.commit(ownership, changes);
        },
      },
    }));
    const words: string[] = [];
    const submit = (): void =>
      void node.workers
        .submit(EVENT_ID, node.command("key"), false)
        .then((outcome) => words.push(wordOf(outcome)));
    submit();
    for (let ms = 0; ms < 700; ms += 100) {
      await new Promise(setImmediate);
      await node.kernel.run(node.kernel.nowMs + 100);
      submit();
    }
    await new Promise(setImmediate);
    await node.kernel.run(node.kernel.nowMs + 2_000);
    assert.deepEqual(words, ["sold", ...Array.from({ length: 7 }, () => "replayed")]);
    assert.equal(node.database.active.length, 1);
  });

  it("loads nothing for new buyers once it knows who has bought, and never across an epoch", async () => {
    const loads: Needs[] = [];
    const node = openNode(9, ({ store }) => ({
      store: {
        ...store,
        load: (eventId, needs) => (loads.push(needs), store.load(eventId, needs)),
      },
    }));
    assert.equal(await node.buy("first"), "sold");
    loads.length = 0;
    assert.equal(await node.buy("second"), "sold");
    assert.deepEqual(loads, []);
    assert.equal(await node.buy("first"), "replayed");
    assert.equal(loads.length, 1);
    // Another node sells to a third customer under a newer epoch.
    node.workers.forget(EVENT_ID);
    const other = openNode(0, () => ({ newTicketId: () => "another node's" }));
    other.database.rows = node.database.rows;
    assert.equal(await other.buy("third"), "sold");
    assert.equal(await node.buy("third"), "replayed");
    assert.equal(node.database.active.length, 3);
  });

  it("gives back the room for buyers, also if the event could not be loaded beside them", async () => {
    let [taken, failing] = [0, true];
    const node = openNode(9, ({ store }) => ({
      buyersRoom: {
        take: () => ((taken += 1), true),
        giveBack: (customers) => void (taken -= customers),
      },
      store: {
        ...store,
        readBuyers: () => Promise.resolve(["an earlier buyer"]),
        loadEvent: (eventId) => {
          if (!failing) return store.loadEvent(eventId);
          failing = false;
          return new Promise((_resolve, reject) => setImmediate(() => reject(new Error("away"))));
        },
      },
    }));
    assert.equal(await node.buy("key"), "sold");
    assert.equal(taken, 2);
    await node.kernel.run(node.kernel.nowMs + 31_000);
    assert.deepEqual([node.workers.status().length, taken], [0, 0]);
  });

  it("takes no new epoch because a load was not sent", async () => {
    let expired = 0;
    const node = openNode(9, ({ store }) => ({
      store: {
        ...store,
        load: (eventId, needs) =>
          expired++ === 0 ? Promise.reject(new BatchExpired("late")) : store.load(eventId, needs),
      },
    }));
    assert.equal(await node.buy("key"), "sold");
    assert.equal(node.notes.filter((note) => note === "epoch-taken").length, 1);
  });

  it("notes an oversell that PostgreSQL prevented, and decides anew", async () => {
    let wrong = true;
    const node = openNode(1, ({ store }) => ({
      store: {
        ...store,
        loadEvent: async (eventId) => {
          const event = await store.loadEvent(eventId);
          return wrong ? ((wrong = false), { ...event, available: 5 }) : event;
        },
        commit: async (ownership, changes) => {
          const result = await store.commit(ownership, changes);
          return result.type === "failed" ? { ...result, reason: "oversell" } : result;
        },
      },
    }));
    const words = await Promise.all([node.buy("one"), node.buy("two")]);
    assert.deepEqual(words.sort(), ["EVENT_SOLD_OUT", "sold"]);
    assert.equal(node.notes.filter((note) => note === "oversell-prevented").length, 1);
  });
});
