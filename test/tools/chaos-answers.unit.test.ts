import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { measure, secondsToFirstSale } from "../../tools/chaos/checks/good-answers.ts";
import { readReply } from "../../tools/chaos/load/customer.ts";
import { Journal } from "../../tools/chaos/load/journal.ts";
import { entry, LOST, SOLD_OUT } from "../support/chaos/entries.ts";

describe("the chaos run's answers", () => {
  it("I8: the share of good answers and the time to recover", () => {
    const entries = [
      entry({ ended: 100 }),
      entry({ ...SOLD_OUT, ended: 200 }),
      entry({ ...LOST, ended: 2_000 }),
      entry({ outcome: "refused", status: 503, code: "TRY_AGAIN", ended: 3_000 }),
      entry({ op: "search", started: 3_500, ended: 4_000, status: 200 }),
      entry({ started: 3_200, ended: 3_600 }),
    ];
    const measures = measure(entries, 1_000);
    assert.deepEqual(
      [measures.all.percent, measures.by.search.percent, measures.recoverySeconds],
      [(100 * 4) / 6, 100, 2],
    );
    assert.deepEqual(measures.bad, { "buy ECONNRESET": 1, "buy 503 TRY_AGAIN": 1 });
    assert.equal(secondsToFirstSale(entries, "concert", 3_000), 0.6);
    assert.equal(secondsToFirstSale(entries, "concert", 3_300), undefined);
  });

  it("I8: the answers of half an hour", () => {
    const entries = Array.from({ length: 500_000 }, (_, index) =>
      entry({ started: index, ended: index + 10, ...(index < 200_000 ? LOST : {}) }),
    );
    const measures = measure(entries, 0);
    assert.deepEqual(
      [measures.all.percent, measures.recoverySeconds, measures.slowestMs],
      [60, 200.009, 10],
    );
    assert.equal(secondsToFirstSale(entries, "concert", 0), 200.01);
  });

  it("derives outcomes as the contract says", () => {
    const outcomes = [
      { type: "answered" as const, status: 201, json: { transactionId: "t1" } },
      { type: "answered" as const, status: 409, json: { code: "EVENT_SOLD_OUT" } },
      { type: "answered" as const, status: 503, json: { code: "TRY_AGAIN" } },
      { type: "answered" as const, status: 503, json: { code: "OUTCOME_UNKNOWN" } },
      { type: "answered" as const, status: 500, json: { code: "INTERNAL" } },
      { type: "answered" as const, status: 201, json: undefined },
      { type: "no-answer" as const, why: "ECONNRESET" },
      { type: "not-sent" as const },
    ].map((reply) => readReply(reply).outcome);
    assert.deepEqual(outcomes, [
      "ok",
      "refused",
      "refused",
      "unknown",
      "unknown",
      "unknown",
      "unknown",
      "refused",
    ]);
  });

  it("keeps a command unsettled until it is answered", () => {
    const journal = new Journal();
    journal.add(entry(LOST));
    assert.equal(journal.unsettled().length, 1);
    journal.add(entry({}));
    journal.add(entry(LOST));
    assert.equal(journal.unsettled().length, 0);
  });
});
