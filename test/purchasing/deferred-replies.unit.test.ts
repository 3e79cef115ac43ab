// PostgreSQL must not wait for replies: a batch is answered while the next one commits.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EVENT_ID, openNode } from "../support/fixtures/one-node.ts";

const LOAD_MS = 5;
const COMMIT_MS = 30;

/**
 * Sells 1, then `crowd`, then `last` tickets, a batch each. Lists when each commit was sent and
 * when its first and last reply came.
 */
async function history(crowd: number, last: number, lastLoadMs = LOAD_MS): Promise<string[]> {
  const seen: string[] = [];
  let loads = 0;
  const node = openNode(1_000, ({ store, clock }) => {
    const after = (delayMs: number) =>
      new Promise<void>((resolve) => clock.after(delayMs, resolve));
    return {
      store: {
        ...store,
        // Its customers may all have bought before, so each batch loads.
        readBuyers: () => Promise.reject(new Error("away")),
        async load(eventId, needs) {
          loads += 1;
          await after(loads === 3 ? lastLoadMs : LOAD_MS);
          return store.load(eventId, needs);
        },
        async commit(ownership, changes) {
          seen.push(`${changes.sold.length} sent`);
          await after(COMMIT_MS);
          return store.commit(ownership, changes);
        },
      },
    };
  });
  const { kernel, workers, command } = node;
  const buyers = async (name: string, count: number, untilMs: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      void workers.submit(EVENT_ID, command(`${name}-${index}`), false).then(() => {
        if (index === 0) seen.push(`first of ${count} answered at ${kernel.nowMs} ms`);
        if (index === count - 1) seen.push(`last of ${count} answered at ${kernel.nowMs} ms`);
      });
    }
    await new Promise(setImmediate);
    await kernel.run(untilMs);
  };
  await buyers("first", 1, 10);
  await buyers("crowd", crowd, 60);
  await buyers("late", last, 1_000);
  return seen;
}

describe("replies to a batch", () => {
  it("follow the next commit if many commands wait, except the first few", async () => {
    assert.deepEqual(await history(200, 100), [
      "1 sent",
      "first of 1 answered at 35 ms",
      "last of 1 answered at 35 ms",
      "200 sent",
      "first of 200 answered at 70 ms",
      "100 sent",
      "last of 200 answered at 75 ms",
      "first of 100 answered at 105 ms",
      "last of 100 answered at 105 ms",
    ]);
  });

  it("do not wait for a slow load of the next batch", async () => {
    assert.deepEqual(await history(200, 100, 90), [
      "1 sent",
      "first of 1 answered at 35 ms",
      "last of 1 answered at 35 ms",
      "200 sent",
      "first of 200 answered at 70 ms",
      "last of 200 answered at 95 ms",
      "100 sent",
      "first of 100 answered at 190 ms",
      "last of 100 answered at 190 ms",
    ]);
  });

  it("come immediately if they are few or no command waits", async () => {
    assert.deepEqual(await history(20, 100), [
      "1 sent",
      "first of 1 answered at 35 ms",
      "last of 1 answered at 35 ms",
      "20 sent",
      "first of 20 answered at 70 ms",
      "last of 20 answered at 70 ms",
      "100 sent",
      "first of 100 answered at 105 ms",
      "last of 100 answered at 105 ms",
    ]);
    assert.deepEqual(await history(200, 0), [
      "1 sent",
      "first of 1 answered at 35 ms",
      "last of 1 answered at 35 ms",
      "200 sent",
      "first of 200 answered at 70 ms",
      "last of 200 answered at 70 ms",
    ]);
  });
});
