import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBatcher, BatchExpired } from "../../lib/concurrency/batcher.ts";

describe("a batcher", () => {
  it("runs the calls of one turn together, and later calls in the next batch", async () => {
    const pieces: number[][] = [];
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const ask = createBatcher(
      async (items: number[]) => {
        pieces.push(items);
        if (pieces.length === 1) await gate;
        return items.map((one) => one * 10);
      },
      { running: 1, most: 3, waitMs: Infinity },
    );
    const first = [ask(1), ask(2)];
    await new Promise(setImmediate);
    const next = [ask(3), ask(4), ask(5), ask(6)];
    await new Promise(setImmediate);
    assert.deepEqual(pieces, [[1, 2]]);
    open();
    assert.deepEqual(await Promise.all([...first, ...next]), [10, 20, 30, 40, 50, 60]);
    assert.deepEqual(pieces, [[1, 2], [3, 4, 5], [6]]);
  });

  it("lets a slow result delay no other, and fails the calls of a failed batch only", async () => {
    let answer: (word: string) => void = () => undefined;
    const slow = new Promise<string>((resolve) => (answer = resolve));
    const ask = createBatcher(
      (items: string[]) =>
        items.includes("bad")
          ? Promise.reject(new Error("no"))
          : Promise.resolve(items.map((one) => (one === "slow" ? slow : one))),
      { running: 1, most: 2, waitMs: Infinity },
    );
    const waits = ask("slow");
    assert.equal(await ask("quick"), "quick");
    const both = await Promise.allSettled([ask("bad"), ask("good"), ask("next")]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["rejected", "rejected", "fulfilled"],
    );
    answer("slow");
    assert.equal(await waits, "slow");
  });

  it("rejects what has waited too long", async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const begun: string[] = [];
    const ask = createBatcher(
      async (items: string[]) => {
        begun.push(...items);
        await gate;
        return items;
      },
      { running: 1, most: 1, waitMs: 200 },
    );
    const first = ask("first");
    await new Promise(setImmediate);
    const refused = assert.rejects(ask("late"), BatchExpired);
    const lateMs = performance.now() + 201;
    while (performance.now() < lateMs) await new Promise(setImmediate);
    open();
    await refused;
    assert.deepEqual([await first, begun], ["first", ["first"]]);
  });
});
