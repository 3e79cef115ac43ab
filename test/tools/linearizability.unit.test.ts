import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkLinearizability } from "../../tools/chaos/checks/linearizability.ts";
import type { EventHistory } from "../../tools/chaos/checks/linearizability/history.ts";
import { type Random, seededRandom } from "../../tools/testing/seeded-random.ts";
import { randomHistory } from "../support/linearizability/random-history.ts";
import { isLinearizable } from "../support/linearizability/reference-checker.ts";

const VALID_SEEDS = 1_500;
const COMPARED_SEEDS = 4_000;
const LARGE = 10_000;
const LARGE_WITHIN_MS = 10_000;

/** Changes one answer or interval, so that the history may have become wrong. */
function damaged(history: EventHistory, random: Random): EventHistory {
  const operations = [...history.operations];
  const index = Math.floor(random() * operations.length);
  const one = operations[index];
  if (one === undefined) return history;
  const code = random() < 0.5 ? "EVENT_SOLD_OUT" : "PURCHASE_LIMIT_REACHED";
  const other = operations.find((each) => each.op === "list" && each.user === one.user);
  if (one.op === "list" && other?.op === "list")
    operations[index] = { ...one, tickets: other.tickets };
  else if (random() < 0.4 && one.ended !== Infinity)
    operations[index] = { ...one, started: one.ended - 0.1 };
  else if (one.op === "buy" && one.ended !== Infinity)
    operations[index] = { ...one, answer: { type: "refused", code } };
  else if (one.op === "cancel" && one.ended !== Infinity)
    operations[index] = { ...one, answer: { type: "refused", code: "TICKET_NOT_FOUND" } };
  else if (one.op === "import" && one.ended !== Infinity)
    operations[index] = { ...one, answer: { type: "refused", code: "TOTAL_BELOW_SOLD" } };
  return { ...history, operations };
}

describe("the linearizability checker", () => {
  it(`never flags a history that the model made (${VALID_SEEDS} seeds)`, () => {
    for (let seed = 1; seed <= VALID_SEEDS; seed += 1) {
      const verdict = checkLinearizability(
        randomHistory({
          operations: 60,
          customers: 1 + (seed % 8),
          total: 5 + (seed % 17),
          concurrency: 1 + (seed % 10),
          random: seededRandom(seed),
          lost: (seed % 4) / 20,
          settled: seed % 2 === 0,
          imports: seed % 3 === 0,
          exact: seed % 5 === 0,
        }),
      );
      assert.equal(verdict.type, "linearizable", `seed ${seed}: ${JSON.stringify(verdict)}`);
    }
  });

  it("agrees with a search of every order, right and wrong histories alike", () => {
    const counts = { right: 0, wrong: 0 };
    for (let seed = 1; seed <= COMPARED_SEEDS; seed += 1) {
      const random = seededRandom(seed);
      const valid = randomHistory({
        operations: 8,
        customers: 1 + (seed % 3),
        total: 2 + (seed % 5),
        concurrency: 1 + (seed % 4),
        random,
        lost: (seed % 3) / 10,
        settled: seed % 2 === 0,
        imports: seed % 3 === 0,
        exact: seed % 5 === 0,
      });
      const history = damaged(damaged(valid, random), random);
      const ids = (transaction: string) => [1, 2, 3].map((place) => `${transaction}.${place}`);
      const expected = isLinearizable(history, ids);
      const verdict = checkLinearizability(history);
      if (verdict.type === "not-judged") continue;
      assert.equal(
        verdict.type,
        expected ? "linearizable" : "violated",
        `seed ${seed}: ${JSON.stringify({ history, verdict })}`,
      );
      counts[expected ? "right" : "wrong"] += 1;
    }
    assert.ok(counts.right > 500 && counts.wrong > 500, JSON.stringify(counts));
  });

  for (const [name, concurrency, customers, total] of [
    ["a scarce event with 64 open operations", 64, 300, 300],
    ["an event that sells out to many customers", 8, LARGE, 300],
    ["an event with places for all", 64, LARGE, 100_000],
  ] as const)
    it(`judges ${LARGE} operations of ${name} within ${LARGE_WITHIN_MS} ms`, (test) => {
      const history = randomHistory({
        operations: LARGE,
        customers,
        total,
        concurrency,
        random: seededRandom(7),
        lost: 0.02,
        settled: true,
      });
      const began = performance.now();
      const verdict = checkLinearizability(history);
      const ms = performance.now() - began;
      test.diagnostic(`${ms.toFixed(0)} ms, ${JSON.stringify(verdict)}`);
      assert.equal(verdict.type, "linearizable");
      assert.ok(ms < LARGE_WITHIN_MS, `${ms} ms`);
    });

  it("says that it has not judged when its budget is used up, and never passes then", () => {
    const verdict = checkLinearizability(
      randomHistory({
        operations: 2_000,
        customers: 60,
        total: 60,
        concurrency: 8,
        random: seededRandom(7),
        lost: 0.1,
      }),
      { stepsMax: 100 },
    );
    assert.equal(verdict.type, "not-judged");
    assert.match("text" in verdict ? verdict.text : "", /gave up after \d+ steps/);
  });
});
