// Streams that are told the same: each client has one message on its way at most, and nothing is
// written twice or out of order.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { createThrottle } from "../../lib/concurrency/throttle.ts";
import { createStreamGroup, newStreamCounts } from "../../services/api/live/sse-channel.ts";

/** A response whose client takes what was written when the test says so. */
class Client extends EventEmitter {
  received: string[] = [];
  private waiting: (() => void)[] = [];
  destroyed = false;
  writableEnded = false;
  write(bytes: Buffer, taken: () => void): boolean {
    this.received.push(String(bytes));
    this.waiting.push(taken);
    return true;
  }
  take(): void {
    for (const taken of this.waiting.splice(0)) taken();
  }
  end(): void {
    this.writableEnded = true;
    this.emit("close");
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

describe("a group of streams", () => {
  const world = () => {
    let nowMs = 0;
    let emptied = 0;
    const counts = newStreamCounts();
    const group = createStreamGroup(
      counts,
      () => (emptied += 1),
      () => nowMs,
    );
    const join = (): Client => {
      const client = new Client();
      group.add(client as unknown as ServerResponse);
      return client;
    };
    return { group, counts, join, pass: (ms: number) => (nowMs += ms), emptied: () => emptied };
  };
  const say = async (group: ReturnType<typeof world>["group"], word: string): Promise<void> => {
    group.send(Buffer.from(word));
    await turn();
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("gives a slow client the newest when it has taken the last, and nothing of what came between", async () => {
    const { group, counts, join } = world();
    const [slow, fast] = [join(), join()];
    await say(group, "one");
    fast.take();
    await say(group, "two");
    fast.take();
    await say(group, "three");
    assert.deepEqual([slow.received, fast.received], [["one"], ["one", "two", "three"]]);
    slow.take();
    assert.deepEqual(slow.received, ["one", "three"]);
    assert.equal(counts.skipped, 2);
    const late = join();
    assert.deepEqual(late.received, ["three"], "a new subscriber gets the newest at once");
  });

  it("drops who takes nothing for half a minute, and keeps the others open with a comment", async () => {
    const { group, counts, join, pass } = world();
    const [stuck, quiet] = [join(), join()];
    await say(group, "one");
    quiet.take();
    pass(15_000);
    group.beat();
    assert.deepEqual([stuck.destroyed, quiet.received], [false, ["one", ":\n\n"]]);
    quiet.take();
    pass(16_000);
    group.beat();
    assert.deepEqual(
      [stuck.destroyed, quiet.destroyed, counts.dropped, counts.open],
      [true, false, 1, 1],
    );
  });

  it("tells a crowd in turns, so that others are served meanwhile, and everyone has the newest in the end", async () => {
    const { group, join, emptied, counts } = world();
    const crowd = Array.from({ length: 1_000 }, join);
    group.send(Buffer.from("one"));
    assert.equal(crowd.filter(({ received }) => received.length > 0).length, 250);
    group.send(Buffer.from("two"));
    for (let round = 0; round < 12; round += 1) {
      for (const client of crowd) client.take();
      await turn();
    }
    assert.ok(crowd.every(({ received }) => received.at(-1) === "two" && received.length <= 2));
    for (const client of crowd) client.end();
    assert.deepEqual([emptied(), group.size, counts.open], [1, 0, 0]);
    await say(group, "three");
    assert.ok(
      crowd.every(({ received }) => received.at(-1) === "two"),
      "nothing is written to who has gone",
    );
  });
});

describe("a pace", () => {
  const world = () => {
    let nowMs = 0;
    let due: { atMs: number; task: () => void }[] = [];
    const clock = {
      nowMs: () => nowMs,
      after(delayMs: number, task: () => void) {
        const timer = { atMs: nowMs + delayMs, task };
        due.push(timer);
        return { cancel: () => (due = due.filter((one) => one !== timer)) };
      },
    };
    const sentAt: number[] = [];
    const pace = createThrottle(250, clock, () => sentAt.push(nowMs));
    const pass = (ms: number): void => {
      for (const end = nowMs + ms; nowMs < end; nowMs += 1) {
        const now = due.filter(({ atMs }) => atMs <= nowMs);
        due = due.filter(({ atMs }) => atMs > nowMs);
        for (const { task } of now) task();
      }
    };
    return { pace, pass, sentAt };
  };

  it("sends at once, then once in its time, and the last is not forgotten", () => {
    const { pace, pass, sentAt } = world();
    for (let ms = 0; ms < 100; ms += 1) {
      pace.schedule();
      pass(1);
    }
    pass(1_000);
    assert.deepEqual(sentAt, [0, 250]);
  });

  it("lets what is urgent go first, once, and never sends five in a second for it", () => {
    const { pace, pass, sentAt } = world();
    for (let ms = 0; ms < 3_000; ms += 10) {
      pace.schedule(ms % 100 === 50);
      pass(10);
    }
    assert.ok(sentAt.includes(50), "the urgent one did not wait");
    for (const atMs of sentAt)
      assert.ok(sentAt.filter((other) => other >= atMs && other < atMs + 1_000).length <= 5);
    assert.ok(sentAt.length <= 13, `${sentAt.length} in three seconds`);
  });
});
