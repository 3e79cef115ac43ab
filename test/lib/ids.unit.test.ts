// Random ids: 128 bits, unique also across the blocks they are drawn in.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { randomId } from "../../lib/ids.ts";

describe("random ids", () => {
  it("are 32 hexadecimal digits, each once, and no digit is more likely than another", () => {
    const ids = Array.from({ length: 2_000 }, randomId);
    assert.equal(new Set(ids).size, ids.length);
    const counts = new Map<string, number>();
    for (const id of ids) {
      assert.match(id, /^[0-9a-f]{32}$/);
      for (const digit of id) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    // 4,000 of each on average, with a standard deviation of 61.
    for (const [digit, count] of counts)
      assert.ok(Math.abs(count - 4_000) < 400, `${digit}: ${count}`);
    assert.equal(counts.size, 16);
  });
});
