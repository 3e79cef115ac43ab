// One worker in virtual time, among parts that each misbehave in one way: what it answers then, and what it keeps.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refused } from "../../domain/refusal.ts";
import type { HeldLease, WorkerPorts } from "../../services/purchasing/worker/ports.ts";
import { EVENT_ID, NODE, STARTS_AT_MS, openNode, wordOf } from "../support/one-node.ts";

describe("an event's worker", () => {
  // As after a crash, while the dead worker's lease runs on, or while Redis is frozen.
  const leaseThatNeverComes = (longerMs: number) => (ports: WorkerPorts) => ({
    lease: {
      acquire: (_eventId: string, waitMs: number) =>
        new Promise<HeldLease>((resolve) =>
          ports.clock.after(waitMs + longerMs, () =>
            resolve({ held: () => false, release: () => Promise.resolve() }),
          ),
        ),
    },
  });

  it("sells to whoever came while it waited for a lease that never comes", async () => {
    const node = openNode(5, leaseThatNeverComes(0));
    assert.equal(await node.buy("key", 900), "sold");
  });

  it("sells to the next one after it has waited for a lease that never comes, though nobody had the patience to wait", async () => {
    const node = openNode(5, leaseThatNeverComes(300));
    assert.equal(await node.buy("first", 1_500), "TRY_AGAIN");
    assert.equal(await node.buy("second", 100), "sold");
  });

  it("never says TRY_AGAIN for a sale of its own that it cannot read at the moment", async () => {
    let away = false;
    const node = openNode(5, ({ store }) => ({
      store: {
        ...store,
        readPurchases: (...asked) =>
          away ? new Promise(() => undefined) : store.readPurchases(...asked),
      },
    }));
    assert.equal(await node.buy("key"), "sold");
    away = true;
    assert.equal(await node.buy("key"), "OUTCOME_UNKNOWN");
    away = false;
    assert.equal(await node.buy("key"), "replayed");
  });

  it("forgets the people it has refused, too", async () => {
    const asked: number[] = [];
    const node = openNode(0, ({ store }) => ({
      store: {
        ...store,
        load: (eventId, needs) => (asked.push(needs.userIds.length), store.load(eventId, needs)),
      },
    }));
    for (let wave = 0; wave < 7; wave++) {
      for (let index = 0; index < 2_000; index++)
        void node.workers.submit(EVENT_ID, node.command(`${wave}-${index}`), false);
      await node.kernel.run(node.kernel.nowMs + 100);
    }
    asked.length = 0;
    assert.equal(await node.buy("0-0"), "EVENT_SOLD_OUT");
    assert.deepEqual(asked, [1], "the first of 14,000 customers is no longer known");
  });

  it("does not stay for an event that is not there", async () => {
    let released = 0;
    const node = openNode(0, ({ store }) => ({
      store: { ...store, takeEpoch: () => Promise.resolve(undefined) },
      lease: {
        acquire: async () => ({ held: () => true, release: async () => void (released += 1) }),
      },
    }));
    assert.equal(await node.buy("key", 10), "EVENT_NOT_FOUND");
    assert.deepEqual([node.workers.status().length, released], [0, 1]);
  });

  it("follows PostgreSQL's clock also when it is set back", async () => {
    let aheadMs = STARTS_AT_MS;
    const node = openNode(5, ({ store }) => ({
      store: {
        ...store,
        load: async (eventId, needs) => ({
          ...(await store.load(eventId, needs)),
          clockMs: node.kernel.nowMs + aheadMs,
        }),
      },
    }));
    assert.equal(await node.buy("early", 10), "EVENT_OVER");
    aheadMs = 0;
    assert.equal(await node.buy("in time", 10), "sold");
  });

  it("decides by its own clock, not by an answer that was long under way", async () => {
    const node = openNode(5, ({ store }) => ({
      store: {
        ...store,
        load: async (eventId, needs) => {
          const loaded = await store.load(eventId, needs);
          await new Promise<void>((resolve) =>
            node.kernel.after(node.kernel.nowMs > 900_000 ? 400 : 0, NODE, resolve),
          );
          return loaded;
        },
      },
    }));
    assert.equal(await node.buy("early", STARTS_AT_MS - 20_200), "sold");
    assert.equal(await node.buy("on the way", 20_000), "sold");
    assert.equal(await node.buy("late", 3_000), "EVENT_OVER");
  });

  it("answers what was committed though a copy or a message was a fault", async () => {
    const node = openNode(5, () => ({
      copies: { write: () => Promise.reject(new Error("a fault of the copies")) },
      publisher: {
        publish: () => {
          throw new Error("a fault of the publisher");
        },
      },
    }));
    assert.equal(await node.buy("key"), "sold");
    assert.ok(node.notes.includes("fault"));
  });

  it("answers what it passed on though the way there was a fault", async () => {
    const node = openNode(5, ({ router }) => ({ router: { ...router, isOwner: () => false } }));
    assert.equal(await node.buy("key"), "OUTCOME_UNKNOWN");
  });

  it("gives its lease back with the first command that it passes on, though nobody told it that nodes came or went", async () => {
    let owner = true;
    let held = 0;
    const node = openNode(5, ({ router }) => ({
      router: { ...router, isOwner: () => owner, forward: async () => refused("EVENT_SOLD_OUT") },
      lease: {
        acquire: async () => (
          (held += 1),
          { held: () => true, release: async () => void (held -= 1) }
        ),
      },
    }));
    assert.deepEqual([await node.buy("first"), held], ["sold", 1]);
    owner = false;
    assert.deepEqual([await node.buy("second"), held], ["EVENT_SOLD_OUT", 0]);
  });

  it("gives its lease back when nobody has come for a while, and comes again with the next", async () => {
    let held = 0;
    const node = openNode(5, () => ({
      lease: {
        acquire: async () => (
          (held += 1),
          { held: () => true, release: async () => void (held -= 1) }
        ),
      },
    }));
    assert.equal(await node.buy("first"), "sold");
    assert.deepEqual([held, node.workers.status().length], [1, 1]);
    await node.kernel.run(node.kernel.nowMs + 31_000);
    assert.deepEqual([held, node.workers.status().length], [0, 0]);
    assert.equal(await node.buy("second"), "sold");
  });

  it("serves who comes while it leaves", async () => {
    const node = openNode(5, () => ({
      lease: {
        acquire: async () => ({
          held: () => true,
          release: () => new Promise((resolve) => node.kernel.after(200, NODE, () => resolve())),
        }),
      },
    }));
    assert.equal(await node.buy("first", 10), "sold");
    await node.kernel.run(30_100);
    assert.equal(await node.buy("second", 300), "sold");
    assert.equal(node.workers.status().length, 1);
  });

  describe("that is not the owner", () => {
    const ELSEWHERE = { insteadOf: "owner" };
    /** `taken`: the owner holds the lease; `pings`: how soon it answers one. */
    const standIn = (taken: boolean, pingMs: number) => {
      const counts = { pings: 0, leases: 0 };
      const node = openNode(5, ({ router, clock }) => ({
        router: {
          ...router,
          isOwner: () => false,
          ping: (_nodeId, withinMs) => {
            counts.pings += 1;
            return new Promise((resolve) =>
              clock.after(Math.min(pingMs, withinMs), () => resolve(pingMs < withinMs)),
            );
          },
        },
        lease: {
          acquire: async () => (
            (counts.leases += 1),
            { held: () => !taken, release: async () => void (counts.leases -= 1) }
          ),
        },
      }));
      return { ...node, counts };
    };

    it("sells in the owner's place where the event is free, asking nobody, and keeps no lease", async () => {
      const node = standIn(false, 0);
      assert.equal(await node.buy("key", 100, ELSEWHERE), "sold");
      assert.deepEqual(node.counts, { pings: 0, leases: 0 });
    });

    it("sells in the owner's place where the owner answers no ping within 300 ms, and asks once for all that follow", async () => {
      const node = standIn(true, 400);
      assert.equal(await node.buy("key", 350, ELSEWHERE), "sold");
      assert.equal(await node.buy("next", 50, ELSEWHERE), "sold");
      assert.equal(node.counts.pings, 1);
    });

    it("says TRY_AGAIN where the owner lives, and takes no epoch", async () => {
      const node = standIn(true, 20);
      assert.equal(await node.buy("key", 100, ELSEWHERE), "TRY_AGAIN");
      assert.equal(node.database.rows.epoch, 0);
    });

    it("serves at once what the owner's own worker passed on", async () => {
      const node = standIn(true, 20);
      assert.equal(await node.buy("key", 10, { forwarded: true }), "sold");
      assert.equal(node.counts.pings, 0);
    });
  });

  it("gives lease and mailbox away at once when another becomes the owner, idle or in the middle of a batch", async () => {
    for (const busy of [false, true]) {
      let owner = true;
      let held = 0;
      const passedOn: string[] = [];
      const node = openNode(50, ({ router, store, clock }) => ({
        router: {
          ...router,
          isOwner: () => owner,
          forward: async (_eventId, { transactionId }) => (
            passedOn.push(transactionId),
            refused("EVENT_SOLD_OUT")
          ),
        },
        lease: {
          acquire: async () => (
            (held += 1),
            { held: () => true, release: async () => void (held -= 1) }
          ),
        },
        store: {
          ...store,
          load: async (eventId, needs) => {
            await new Promise<void>((resolve) => clock.after(50, resolve));
            return store.load(eventId, needs);
          },
        },
      }));
      assert.equal(await node.buy("first", 100), "sold");
      const words: Record<string, string> = {};
      const ask = (key: string): void =>
        void node.workers
          .submit(EVENT_ID, node.command(key), false)
          .then((outcome) => (words[key] = wordOf(outcome)));
      if (busy) ask("in flight");
      await new Promise(setImmediate);
      await node.kernel.run(node.kernel.nowMs + 10);
      if (busy) ask("waiting");
      owner = false;
      node.workers.onTopologyChange();
      await new Promise(setImmediate);
      await node.kernel.run(node.kernel.nowMs + 60);
      assert.equal(held, 0, "the lease is given back");
      assert.deepEqual(words, busy ? { "in flight": "sold", waiting: "EVENT_SOLD_OUT" } : {});
      assert.deepEqual(passedOn, busy ? ["sale-waiting"] : []);
      assert.equal(node.workers.status().length, 0);
    }
  });
});
