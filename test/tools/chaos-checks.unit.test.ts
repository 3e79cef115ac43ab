// Each invariant's check sees nothing wrong in a right history, and sees the mistake that is planted in it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { measure, secondsToFirstSale } from "../../tools/chaos/checks/good-answers.ts";
import { checkLedger } from "../../tools/chaos/checks/ledger.ts";
import {
  checkLimits,
  checkPlaces,
  checkQuiet,
  checkSamples,
  checkSoldOut,
} from "../../tools/chaos/checks/places.ts";
import { checkCancellations, checkLists, checkPurchases } from "../../tools/chaos/checks/sales.ts";
import type { Violation } from "../../tools/chaos/checks/violation.ts";
import { readReply } from "../../tools/chaos/load/customer.ts";
import { type Entry, Journal } from "../../tools/chaos/load/journal.ts";
import type { Places, Rows } from "../../tools/chaos/rows.ts";

const PLACES: Places = {
  event: "concert",
  total: 10,
  active: 3,
  capacity: 7,
  unbooked: 0,
  waiting: 0,
};

function entry(more: Partial<Entry>): Entry {
  return {
    op: "buy",
    user: "ada",
    event: "concert",
    key: "k1",
    quantity: 2,
    transaction: "t1",
    via: "api-1",
    started: 0,
    ended: 10,
    outcome: "ok",
    status: 201,
    code: undefined,
    answeredTransaction: "t1",
    tickets: ["a", "b"],
    ...more,
  };
}

const LOST: Partial<Entry> = {
  outcome: "unknown",
  status: undefined,
  code: "ECONNRESET",
  answeredTransaction: undefined,
  tickets: [],
};
const SOLD_OUT: Partial<Entry> = {
  outcome: "refused",
  status: 409,
  code: "EVENT_SOLD_OUT",
  answeredTransaction: undefined,
  tickets: [],
};
const CANCEL: Partial<Entry> = {
  op: "cancel",
  key: "a",
  quantity: 0,
  transaction: "c1",
  status: 200,
  tickets: ["a"],
};

function ticket(id: string, transaction: string, cancelled = false): Rows["tickets"][number] {
  return { id, event: "concert", user: "ada", transaction, cancelled };
}

function sees(violations: readonly Violation[], invariant: string, text: RegExp): void {
  assert.ok(
    violations.some((violation) => violation.invariant === invariant && text.test(violation.text)),
    `no ${invariant} ${String(text)} among ${JSON.stringify(violations)}`,
  );
}

describe("the chaos run's checks", () => {
  it("I1: a sample with one ticket too many", () => {
    assert.deepEqual(checkPlaces(PLACES, "now"), []);
    sees(
      checkPlaces({ ...PLACES, active: 11, capacity: 0, unbooked: -1 }, "now"),
      "I1",
      /11 active tickets of 10/,
    );
    const samples = [0, 250, 500].map((atMs) => ({
      ...PLACES,
      active: atMs === 0 ? 10 : 11,
      capacity: 0,
      unbooked: 0,
      atMs,
    }));
    const seen = checkSamples(samples, 0).filter(({ invariant }) => invariant === "I1");
    assert.deepEqual(
      seen.map(({ text }) => text),
      ["after 0.3 s: 11 active tickets of 10 places of event concert (in 2 samples)"],
    );
  });

  it("I1: a customer with more than the limit", () => {
    const tickets = [ticket("a", "t1"), ticket("b", "t2"), ticket("c", "t3", true)];
    assert.deepEqual(checkLimits({ tickets }, 2), []);
    sees(
      checkLimits({ tickets }, 1),
      "I1",
      /ada holds concert: 2 active tickets where 1 are allowed/,
    );
    const others = tickets.map((one, index) => ({ ...one, user: `person ${index}` }));
    assert.deepEqual(checkLimits({ tickets: others }, 1), []);
  });

  it("I2: a sale that is missing, twice, or not its buyer's", () => {
    const tickets = [ticket("a", "t1"), ticket("b", "t1")];
    assert.deepEqual(checkPurchases([entry({}), entry(LOST)], { tickets }), []);
    sees(
      checkPurchases([entry({})], { tickets: [] }),
      "I2",
      /answered as sold: 0 tickets instead of 2/,
    );
    sees(
      checkPurchases([entry({})], { tickets: [...tickets, ticket("c", "t1")] }),
      "I2",
      /3 tickets instead of 2/,
    );
    sees(
      checkPurchases([entry({})], { tickets: [...tickets, ticket("c", "t9")] }),
      "I2",
      /nobody asked for/,
    );
    sees(
      checkPurchases([entry({ tickets: ["a", "z"] })], { tickets }),
      "I2",
      /answered with tickets a z; there are a b/,
    );
    sees(
      checkPurchases([entry({ answeredTransaction: "t2" })], { tickets }),
      "I2",
      /transaction t2 instead of t1/,
    );
    const others = tickets.map((one) => ({ ...one, user: "bob" }));
    sees(checkPurchases([entry({})], { tickets: others }), "I2", /another person/);
  });

  it("I2: an unknown outcome is once or not at all, a refused one never", () => {
    const tickets = [ticket("a", "t1"), ticket("b", "t1")];
    assert.deepEqual(checkPurchases([entry(LOST)], { tickets }), []);
    assert.deepEqual(checkPurchases([entry(LOST)], { tickets: [] }), []);
    sees(
      checkPurchases([entry(LOST)], { tickets: [ticket("a", "t1")] }),
      "I2",
      /unknown outcome: 1 tickets/,
    );
    assert.deepEqual(checkPurchases([entry(SOLD_OUT)], { tickets: [] }), []);
    sees(
      checkPurchases([entry(SOLD_OUT)], { tickets }),
      "I2",
      /was refused \(409 EVENT_SOLD_OUT\): 2 tickets/,
    );
  });

  it("I3: a cancellation that frees no place, two, or one nobody asked for", () => {
    const cancelled = {
      tickets: [ticket("a", "t1", true)],
      waiting: [],
      ledger: [{ transaction: "c1", event: "concert", quantity: 1 }],
    };
    assert.deepEqual(checkCancellations([entry(CANCEL), entry(CANCEL)], cancelled), []);
    sees(checkCancellations([entry(CANCEL)], { ...cancelled, ledger: [] }), "I3", /frees no place/);
    sees(
      checkCancellations([entry(CANCEL)], { ...cancelled, waiting: cancelled.ledger }),
      "I3",
      /frees 1 and 1/,
    );
    sees(
      checkCancellations([entry(CANCEL)], { ...cancelled, tickets: [ticket("a", "t1")] }),
      "I3",
      /answered as cancelled and is not/,
    );
    sees(
      checkCancellations([entry({ ...CANCEL, outcome: "refused", code: "EVENT_OVER" })], cancelled),
      "I3",
      /was refused .* all the same/,
    );
    sees(checkCancellations([], cancelled), "I3", /nobody asked for/);
    const notFound = entry({ ...CANCEL, outcome: "refused", code: "TICKET_NOT_FOUND" });
    const untouched = { tickets: [ticket("a", "t1")], waiting: [], ledger: [] };
    sees(checkCancellations([notFound], untouched), "I3", /was not found, and is there/);
    assert.deepEqual(checkCancellations([notFound], { ...untouched, tickets: [] }), []);
  });

  it("I4: capacity, rows not booked and Redis that do not add up", () => {
    assert.deepEqual(checkQuiet(PLACES, 7), []);
    assert.deepEqual(checkPlaces({ ...PLACES, capacity: 9, unbooked: -2, waiting: 1 }, "now"), []);
    sees(
      checkPlaces({ ...PLACES, capacity: 9, unbooked: -1, waiting: 1 }, "now"),
      "I4",
      /capacity 9 and rows not booked -1 are not 10 − 3/,
    );
    sees(checkQuiet({ ...PLACES, capacity: 8 }, undefined), "I4", /capacity 8 is not 10 − 3/);
    sees(checkQuiet(PLACES, 6), "I4", /Redis says 6 where 7/);
  });

  it("I5: a sale without its row, with two, or a sum that is wrong", () => {
    const sold = { transaction: "t1", event: "concert", quantity: -3 };
    const rows = {
      places: [PLACES],
      tickets: ["a", "b", "c"].map((id) => ticket(id, "t1")),
      waiting: [],
      ledger: [sold],
    };
    assert.deepEqual(checkLedger(rows), []);
    assert.deepEqual(checkLedger({ ...rows, waiting: [sold], ledger: [] }), []);
    sees(checkLedger({ ...rows, ledger: [] }), "I5", /3 tickets and rows of nothing/);
    sees(checkLedger({ ...rows, waiting: [sold] }), "I5", /rows of -3 and -3/);
    sees(
      checkLedger({ ...rows, ledger: [sold, { ...sold, transaction: "t9" }] }),
      "I5",
      /sums up to -6/,
    );
  });

  it("I6 and I7: a place that is lost, and rows that are never booked", () => {
    const after = { ...PLACES, active: 10, capacity: 0 };
    assert.deepEqual(checkSoldOut(PLACES, 7, after), []);
    sees(
      checkSoldOut(PLACES, 6, { ...after, active: 9 }),
      "I6",
      /7 places of event concert were left, 6 were sold/,
    );
    sees(checkSoldOut(PLACES, 8, { ...after, active: 11 }), "I6", /8 were sold/);
    sees(checkQuiet({ ...PLACES, waiting: 2 }, undefined), "I7", /2 rows/);
  });

  it("I9: a list that has become shorter", () => {
    const list = (started: number, tickets: string[]) =>
      entry({ op: "list", key: "", started, ended: started + 5, tickets });
    assert.deepEqual(checkLists([list(0, ["a"]), list(10, ["a", "b"])]), []);
    sees(checkLists([list(0, ["a", "b"]), list(10, ["b", "c"])]), "I9", /no longer has a/);
    assert.deepEqual(
      checkLists([list(0, ["a", "b"]), list(3, ["a"])]),
      [],
      "two at once have no order",
    );
  });

  it("I8: what is good, and when it was good again", () => {
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

  it("I8: as many answers as half an hour gives", () => {
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

  it("reads an outcome as the contract means it", () => {
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

  it("keeps a command unsettled until it was answered, and not after", () => {
    const journal = new Journal();
    journal.add(entry(LOST));
    assert.equal(journal.unsettled().length, 1);
    journal.add(entry({}));
    journal.add(entry(LOST));
    assert.equal(journal.unsettled().length, 0);
  });
});
