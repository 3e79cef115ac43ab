import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import { createConcurrencyLimit } from "../../lib/concurrency/concurrency-limit.ts";
import { withTimeout } from "../../lib/concurrency/clock.ts";

describe("a concurrency limit", () => {
  const open: ((value: string) => void)[] = [];
  const work = (): Promise<Answer<string>> =>
    new Promise((resolve) => open.push((value) => resolve(accepted(value))));

  it("runs a fixed number at a time, in order of arrival, and refuses the surplus", async () => {
    const turn = createConcurrencyLimit({ running: 2, waiting: 1 });
    const [one, two, three, four] = [turn(work), turn(work), turn(work), turn(work)];
    assert.deepEqual(await four, refused("TRY_AGAIN"));
    assert.equal(open.length, 2);
    open[0]?.("one");
    assert.deepEqual(await one, accepted("one"));
    assert.equal(open.length, 3, "the next has taken its place");
    open[1]?.("two");
    open[2]?.("three");
    assert.deepEqual([await two, await three], [accepted("two"), accepted("three")]);
    const failing = turn(() => Promise.reject(new Error("broken")));
    await assert.rejects(failing, /broken/);
    assert.deepEqual(await turn(() => Promise.resolve(accepted("still"))), accepted("still"));
  });

  it("refuses what has waited too long, and frees its place", async () => {
    const turn = createConcurrencyLimit({ running: 1, waiting: 9, waitMs: 0 });
    let finish: () => void = () => undefined;
    const first = turn(
      () => new Promise<Answer<string>>((resolve) => (finish = () => resolve(accepted("first")))),
    );
    let begun = false;
    const late = turn(() => {
      begun = true;
      return Promise.resolve(accepted("late"));
    });
    const sinceMs = performance.now();
    while (performance.now() - sinceMs < 2);
    finish();
    assert.deepEqual(
      [await first, await late, begun],
      [accepted("first"), refused("TRY_AGAIN"), false],
    );
    assert.deepEqual(await turn(() => Promise.resolve(accepted("next"))), accepted("next"));
  });
});

it("an answer already in the socket is not late, however busy the process was", async () => {
  const answered = new Promise<string>((resolve) => setImmediate(resolve, "there"));
  const result = withTimeout(answered, 1);
  const sinceMs = performance.now();
  while (performance.now() - sinceMs < 20);
  assert.equal(await result, "there");
  assert.equal(await withTimeout(new Promise(() => undefined), 1), undefined);
});
