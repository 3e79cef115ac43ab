// Whether an event shares statements with others follows from its large commits only.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EVENT_ID, openNode } from "../support/fixtures/one-node.ts";

describe("the commits of an event", () => {
  it("go alone while large ones are slow, whatever small ones waited for", async () => {
    let tookMs = 0;
    const commits: [rows: number, alone: boolean | undefined][] = [];
    const node = openNode(5_000, ({ store, clock }) => ({
      store: {
        ...store,
        commit: (ownership, changes) => {
          commits.push([changes.sold.length, changes.alone]);
          return new Promise((resolve) =>
            clock.after(tookMs, () => resolve(store.commit(ownership, changes))),
          );
        },
      },
    }));
    const sell = async (name: string, buyers: number, ms: number) => {
      tookMs = ms;
      for (let number = 0; number < buyers; number += 1)
        void node.workers.submit(EVENT_ID, node.command(`${name}-${number}`), false);
      await new Promise(setImmediate);
      await node.kernel.run(node.kernel.nowMs + 3_000);
      return commits.splice(0).map(([, alone]) => alone);
    };
    assert.deepEqual(await sell("first", 1, 0), [false]);
    assert.deepEqual(await sell("with others", 1, 900), [false]);
    assert.deepEqual(await sell("large", 100, 900), [false], "it shared none before, either");
    assert.deepEqual(await sell("after it", 1, 900), [true]);
    assert.deepEqual(await sell("fast again", 1, 10), [true]);
    assert.deepEqual(await sell("then", 1, 10), [false]);
  });
});
