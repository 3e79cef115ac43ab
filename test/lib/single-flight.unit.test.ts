// A crowd that asks one thing is one question: what keeps a rush of searches from PostgreSQL.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSingleFlight } from "../../lib/concurrency/single-flight.ts";

describe("one flight", () => {
  it("is one piece of work for all who ask while it is under way, and another for those who come afterwards", async () => {
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

  it("is one for each key", async () => {
    const flights = createSingleFlight<string>();
    const asked: string[] = [];
    const ask = (key: string) => flights(key, async () => (asked.push(key), key));
    assert.deepEqual(await Promise.all([ask("a"), ask("b"), ask("a")]), ["a", "b", "a"]);
    assert.deepEqual(asked, ["a", "b"]);
  });

  it("that fails fails for all who waited, and for nobody after them", async () => {
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
