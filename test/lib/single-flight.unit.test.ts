// Single-flight: equal concurrent calls share one execution, which protects PostgreSQL in a rush.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSingleFlight } from "../../lib/concurrency/single-flight.ts";

describe("single-flight", () => {
  it("shares one execution among concurrent calls, and runs again for later ones", async () => {
    const flights = createSingleFlight<number>();
    let begun = 0;
    const work = async (): Promise<number> => {
      const number = (begun += 1);
      await new Promise(setImmediate);
      return number;
    };
    const crowd = Array.from({ length: 50 }, () => flights("key", work));
    assert.deepEqual(new Set(await Promise.all(crowd)), new Set([1]));
    assert.equal(await flights("key", work), 2);
  });

  it("separates keys", async () => {
    const flights = createSingleFlight<string>();
    const executed: string[] = [];
    const ask = (key: string) => flights(key, async () => (executed.push(key), key));
    assert.deepEqual(await Promise.all([ask("a"), ask("b"), ask("a")]), ["a", "b", "a"]);
    assert.deepEqual(executed, ["a", "b"]);
  });

  it("rejects all waiting calls when the execution fails, and no later one", async () => {
    const flights = createSingleFlight<string>();
    const failing = () => flights("key", () => Promise.reject(new Error("away")));
    const outcomes = await Promise.allSettled([failing(), failing()]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    assert.equal(await flights("key", async () => "back"), "back");
  });
});
