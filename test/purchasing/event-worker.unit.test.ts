// Runs one worker in virtual time. In each test one of its ports misbehaves.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refused } from "../../domain/refusal.ts";
import { createBuyersRoom } from "../../services/purchasing/worker/ownership.ts";
import type { HeldLease, WorkerPorts } from "../../services/purchasing/worker/ports.ts";
import { NO_COPIES } from "../support/fixtures/no-copies.ts";
import { EVENT_ID, NODE, STARTS_AT_MS, openNode, wordOf } from "../support/fixtures/one-node.ts";

describe("an event worker", () => {
  // As after a crash, until the old lease ends, or while Redis is frozen.
  const leaseNeverFree = (longerMs: number) => (ports: WorkerPorts) => ({
    lease: {
      acquire: (_eventId: string, waitMs: number) =>
        new Promise<HeldLease>((resolve) =>
          ports.clock.after(waitMs + longerMs, () =>
            resolve({ held: () => false, release: () => Promise.resolve() }),
          ),
        ),
    },
  });

  it("sells what was queued during the wait for a lease that is never free", async () => {
    const node = openNode(5, leaseNeverFree(0));
    assert.equal(await node.buy("key", 900), "sold");
  });

  it("sells without the lease after the wait, even if all earlier callers timed out", async () => {
    const node = openNode(5, leaseNeverFree(300));
    assert.equal(await node.buy("first", 1_500), "OUTCOME_UNKNOWN");
    assert.equal(await node.buy("second", 100), "sold");
  });

  it("never answers TRY_AGAIN for a sale whose tickets cannot be read now", async () => {
    let isDown = false;
    const node = openNode(5, ({ store }) => ({
      store: {
        ...store,
        readPurchases: (...requested) =>
          isDown ? new Promise(() => undefined) : store.readPurchases(...requested),
      },
    }));
    assert.equal(await node.buy("key"), "sold");
    isDown = true;
    assert.equal(await node.buy("key"), "OUTCOME_UNKNOWN");
    isDown = false;
    assert.equal(await node.buy("key"), "replayed");
  });

  it("forgets refused customers, too", async () => {
    const requested: number[] = [];
    const node = openNode(0, ({ store }) => ({
      buyersRoom: createBuyersRoom(0),
      store: {
        ...store,
        readBuyers: () => Promise.resolve(["buyer"]),
        load: (eventId, needs) => (
          requested.push(needs.userIds.length),
          store.load(eventId, needs)
        ),
      },
    }));
    for (let wave = 0; wave < 7; wave++) {
      for (let index = 0; index < 2_000; index++)
        void node.workers.submit(EVENT_ID, node.command(`${wave}-${index}`), false);
      await node.kernel.run(node.kernel.nowMs + 100);
    }
    requested.length = 0;
    assert.equal(await node.buy("0-0"), "EVENT_SOLD_OUT");
    assert.deepEqual(requested, [1], "the first of 14,000 customers is forgotten");
  });

  it("ends if the event does not exist", async () => {
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

  it("follows PostgreSQL's clock even if it is set back", async () => {
    let aheadMs = STARTS_AT_MS;
    const node = openNode(5, ({ store }) => ({
      store: {
        // Without it a batch of new buyers loads.
        ...store,
        readBuyers: () => Promise.reject(new Error("away")),
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

  it("decides by its own clock, not by a clock value from a delayed answer", async () => {
    const node = openNode(5, ({ store }) => ({
      store: {
        ...store,
        readBuyers: () => Promise.reject(new Error("away")),
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

  it("answers a committed sale if the copies or the publisher fail", async () => {
    const node = openNode(5, () => ({
      copies: { ...NO_COPIES, write: () => Promise.reject(new Error("the copies failed")) },
      publisher: {
        publish: () => {
          throw new Error("the publisher failed");
        },
      },
    }));
    assert.equal(await node.buy("key"), "sold");
    assert.ok(node.notes.includes("fault"));
  });

  it("answers a forwarded command if forwarding fails", async () => {
    const node = openNode(5, ({ router }) => ({ router: { ...router, isOwner: () => false } }));
    assert.equal(await node.buy("key"), "OUTCOME_UNKNOWN");
  });

  it("releases its lease with the first forwarded command, without a topology event", async () => {
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

  it("releases its lease when idle, and takes it again for the next command", async () => {
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

  it("serves commands that arrive while it stops", async () => {
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

  describe("on a node that is not the owner", () => {
    const ELSEWHERE = { insteadOf: "owner" };
    /** `taken`: the owner holds the lease. `pingMs`: how soon it answers a ping. */
    const secondNode = (taken: boolean, pingMs: number) => {
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

    it("sells for the owner without a ping if the lease is free, and keeps no lease", async () => {
      const node = secondNode(false, 0);
      assert.equal(await node.buy("key", 100, ELSEWHERE), "sold");
      assert.deepEqual(node.counts, { pings: 0, leases: 0 });
    });

    it("sells for the owner after one ping without an answer for 300 ms", async () => {
      const node = secondNode(true, 400);
      assert.equal(await node.buy("key", 350, ELSEWHERE), "sold");
      assert.equal(await node.buy("next", 50, ELSEWHERE), "sold");
      assert.equal(node.counts.pings, 1);
    });

    it("takes no epoch if the owner is alive, and knows nothing of its sales", async () => {
      const node = secondNode(true, 20);
      assert.equal(await node.buy("key", 100, ELSEWHERE), "OUTCOME_UNKNOWN");
      assert.equal(node.database.rows.epoch, 0);
    });

    it("serves immediately what the owner's worker forwarded", async () => {
      const node = secondNode(true, 20);
      assert.equal(await node.buy("key", 10, { forwarded: true }), "sold");
      assert.equal(node.counts.pings, 0);
    });
  });

  it("hands over lease and mailbox to a new owner, idle or during a batch", async () => {
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
      const answers: Record<string, string> = {};
      const request = (key: string): void =>
        void node.workers
          .submit(EVENT_ID, node.command(key), false)
          .then((outcome) => (answers[key] = wordOf(outcome)));
      if (busy) request("in flight");
      await new Promise(setImmediate);
      await node.kernel.run(node.kernel.nowMs + 10);
      if (busy) request("waiting");
      owner = false;
      node.workers.onTopologyChange();
      await new Promise(setImmediate);
      await node.kernel.run(node.kernel.nowMs + 60);
      assert.equal(held, 0, "the lease is released");
      assert.deepEqual(answers, busy ? { "in flight": "sold", waiting: "EVENT_SOLD_OUT" } : {});
      assert.deepEqual(passedOn, busy ? ["sale-waiting"] : []);
      assert.equal(node.workers.status().length, 0);
    }
  });
});
