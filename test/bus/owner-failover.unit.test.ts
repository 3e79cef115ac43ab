// What a buyer hears of an event's owner that is slow, silent, gone or refusing, in virtual time:
// only what is true.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import type { CallResult } from "../../services/api/bus/call-errors.ts";
import { createOwnerCall, type Send } from "../../services/api/bus/owner-call.ts";
import type { NotSent } from "../../services/api/routing/route.ts";
import { Kernel } from "../simulation/model/kernel.ts";

type Said = CallResult<string> & { afterMs: number };
const NEVER = 1_000_000;
const sale = (afterMs: number): Said => ({ type: "answered", answer: accepted("sale"), afterMs });
const no = (code: "TRY_AGAIN" | "EVENT_SOLD_OUT" | "OUTCOME_UNKNOWN", afterMs: number): Said => {
  return { type: "answered", answer: refused(code), afterMs };
};
const lost = (afterMs: number): Said => ({ type: "lost", afterMs });
const notSent: Said = { type: "not-sent", afterMs: 0 };

/**
 * Asks nodes that answer as told; what is answered, when, and who was asked in whose place.
 * `timersLateMs`: how late a busy gateway's timers are.
 */
async function askNodes(
  nodes: Record<string, Said>,
  unreached: NotSent = "TRY_AGAIN",
  timersLateMs = 0,
): Promise<{ word: string; atMs: number; asked: string[] }> {
  const kernel = new Kernel(1);
  const call = createOwnerCall({
    nowMs: () => kernel.nowMs,
    after: (delayMs, task) => kernel.after(delayMs + timersLateMs, "gateway", task),
  });
  const asked: string[] = [];
  let answer: Answer<string> | undefined;
  let atMs = 0;
  const send: Send<string> = (nodeId, insteadOf) => {
    const { afterMs, ...reply } = nodes[nodeId] ?? assert.fail();
    asked.push(insteadOf === undefined ? nodeId : `${nodeId} for ${insteadOf}`);
    return new Promise((resolve) => kernel.after(afterMs, nodeId, () => resolve(reply)));
  };
  void call(Object.keys(nodes), send, unreached).then((heard) => {
    answer = heard;
    atMs = kernel.nowMs;
  });
  await new Promise(setImmediate);
  await kernel.run(10_000);
  return {
    word: answer === undefined ? "nothing" : answer.ok ? answer.value : answer.refusal.code,
    atMs,
    asked,
  };
}

describe("the call of an event's owner", () => {
  it("asks no other node while the owner answers within its second", async () => {
    assert.deepEqual(await askNodes({ a: sale(900), b: sale(0) }), {
      word: "sale",
      atMs: 900,
      asked: ["a"],
    });
    assert.deepEqual(await askNodes({ a: no("TRY_AGAIN", 900), b: sale(0) }), {
      word: "TRY_AGAIN",
      atMs: 900,
      asked: ["a"],
    });
  });

  it("asks the second, in the owner's place, when the owner has been silent for a second", async () => {
    const { word, atMs, asked } = await askNodes({ a: lost(4_000), b: sale(10), c: sale(0) });
    assert.deepEqual([word, asked], ["sale", ["a", "b for a"]]);
    assert.ok(atMs >= 1_000 && atMs <= 1_110, `at ${atMs} ms`);
  });

  it("does not take its own late timers for the owner's silence", async () => {
    const owner = { a: sale(3_000), b: sale(0) };
    assert.deepEqual((await askNodes(owner, "TRY_AGAIN", 150)).asked, ["a"]);
    // A gateway that listens a third of the time notices silence in three times as long.
    const { atMs, asked } = await askNodes({ a: lost(9_000), b: sale(10) }, "TRY_AGAIN", 100);
    assert.deepEqual(asked, ["a", "b for a"]);
    assert.ok(atMs >= 2_900 && atMs <= 3_300, `at ${atMs} ms`);
  });

  it("asks the second at once when the owner has gone with the command", async () => {
    assert.deepEqual(await askNodes({ a: lost(200), b: sale(10) }), {
      word: "sale",
      atMs: 210,
      asked: ["a", "b for a"],
    });
  });

  it("asks the third when the second cannot be reached", async () => {
    assert.deepEqual(await askNodes({ a: lost(100), b: notSent, c: sale(5) }), {
      word: "sale",
      atMs: 105,
      asked: ["a", "b for a", "c for a"],
    });
  });

  it("skips a node that the command never reached at once, and returns the next node's answer", async () => {
    const reached = await askNodes({ a: notSent, b: notSent, c: no("EVENT_SOLD_OUT", 5) });
    assert.deepEqual(reached, {
      word: "EVENT_SOLD_OUT",
      atMs: 5,
      asked: ["a", "b for a", "c for a"],
    });
  });

  it("answers as the caller says where the command reached no node", async () => {
    for (const unreached of ["TRY_AGAIN", "OUTCOME_UNKNOWN"] as const)
      for (const nodes of [{}, { a: notSent }, { a: notSent, b: notSent }])
        assert.equal((await askNodes(nodes, unreached)).word, unreached);
  });

  it("takes no refusal of the second for the truth while the owner may have sold", async () => {
    for (const second of [
      no("TRY_AGAIN", 5),
      no("EVENT_SOLD_OUT", 5),
      no("OUTCOME_UNKNOWN", 5),
      lost(5),
      notSent,
    ]) {
      assert.equal((await askNodes({ a: lost(4_000), b: second })).word, "OUTCOME_UNKNOWN");
      assert.equal((await askNodes({ a: lost(100), b: second })).word, "OUTCOME_UNKNOWN");
    }
    assert.equal((await askNodes({ a: lost(100) })).word, "OUTCOME_UNKNOWN");
  });

  it("still hears an owner that was only slow", async () => {
    assert.deepEqual(await askNodes({ a: sale(1_400), b: no("TRY_AGAIN", 5) }), {
      word: "sale",
      atMs: 1_400,
      asked: ["a", "b for a"],
    });
    assert.equal(
      (await askNodes({ a: no("EVENT_SOLD_OUT", 1_400), b: no("TRY_AGAIN", 5) })).word,
      "EVENT_SOLD_OUT",
    );
    assert.equal(
      (await askNodes({ a: no("TRY_AGAIN", 1_400), b: lost(2_000) })).word,
      "OUTCOME_UNKNOWN",
    );
    assert.equal((await askNodes({ a: sale(1_400), b: lost(NEVER) })).word, "sale");
  });

  it("waits for an only node as long as it takes", async () => {
    assert.deepEqual(await askNodes({ a: sale(3_000) }), {
      word: "sale",
      atMs: 3_000,
      asked: ["a"],
    });
  });
});
