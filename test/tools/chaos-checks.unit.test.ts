import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkAnswers } from "../../tools/chaos/checks/answers.ts";
import { checkLedger } from "../../tools/chaos/checks/ledger.ts";
import {
  checkLimits,
  checkPlaces,
  checkQuiet,
  checkSamples,
  checkSoldOut,
} from "../../tools/chaos/checks/places.ts";
import {
  checkCancellations,
  checkLists,
  checkPurchases,
  checkTryAgain,
} from "../../tools/chaos/checks/sales.ts";
import type { Violation } from "../../tools/chaos/checks/violation.ts";
import type { Entry, ImportEntry } from "../../tools/chaos/load/journal.ts";
import type { Places, Rows } from "../../tools/chaos/rows.ts";
import { entry, LOST, SOLD_OUT } from "../support/chaos/entries.ts";

const PLACES: Places = {
  event: "concert",
  total: 10,
  active: 3,
  capacity: 7,
  available: 7,
  unbooked: 0,
  waiting: 0,
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

/** Each check accepts a correct history and detects the mistake planted in it. */
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

  it("I2: a sale that is missing, duplicated, or of another buyer", () => {
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
      /without a request/,
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

  it("I2: an unknown outcome exists at most once, a refused one never", () => {
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

  it("I3: a cancellation that frees no place, two, or one without a request", () => {
    const cancelled = {
      tickets: [ticket("a", "t1", true)],
      waiting: [],
    };
    const freed = { transaction: "c1", event: "concert", batch: "7/1", quantity: 1 };
    assert.deepEqual(checkCancellations([entry(CANCEL), entry(CANCEL)], cancelled), []);
    assert.deepEqual(checkCancellations([entry(CANCEL)], { ...cancelled, waiting: [freed] }), []);
    sees(
      checkCancellations([entry(CANCEL)], { ...cancelled, waiting: [freed, freed] }),
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
      /was refused .* but it is cancelled/,
    );
    sees(checkCancellations([], cancelled), "I3", /without a request/);
    const notFound = entry({ ...CANCEL, outcome: "refused", code: "TICKET_NOT_FOUND" });
    const untouched = { tickets: [ticket("a", "t1")], waiting: [] };
    sees(checkCancellations([notFound], untouched), "I3", /was not found, and is there/);
    assert.deepEqual(checkCancellations([notFound], { ...untouched, tickets: [] }), []);
  });

  it("I4: capacity, unbooked rows and Redis that do not add up", () => {
    assert.deepEqual(checkQuiet(PLACES, 7), []);
    assert.deepEqual(checkPlaces({ ...PLACES, capacity: 9, unbooked: -2, waiting: 1 }, "now"), []);
    sees(
      checkPlaces({ ...PLACES, capacity: 9, unbooked: -1, waiting: 1 }, "now"),
      "I4",
      /capacity 9 and unbooked rows -1, which is not 10 − 3/,
    );
    sees(checkQuiet({ ...PLACES, capacity: 8 }, undefined), "I4", /capacity 8 is not 10 − 3/);
    sees(checkQuiet(PLACES, 6), "I4", /Redis says 6 where 7/);
  });

  it("I5: a row unlike its sale, a batch booked and waiting, or a sum that is wrong", () => {
    const sold = { transaction: "t1", event: "concert", batch: "7/1", quantity: -3 };
    const rows = {
      places: [PLACES],
      tickets: ["a", "b", "c"].map((id) => ticket(id, "t1")),
      waiting: [],
      ledger: [sold],
    };
    assert.deepEqual(checkLedger(rows), []);
    assert.deepEqual(checkLedger({ ...rows, waiting: [sold], ledger: [] }), []);
    sees(checkLedger({ ...rows, ledger: [] }), "I5", /sums to 0/);
    sees(checkLedger({ ...rows, waiting: [sold] }), "I5", /is booked, and transaction t1 waits/);
    const two = { ...sold, quantity: -2 };
    sees(checkLedger({ ...rows, waiting: [two], ledger: [] }), "I5", /3 tickets and a row of -2/);
    sees(checkLedger({ ...rows, ledger: [sold, { ...sold, batch: "7/2" }] }), "I5", /sums to -6/);
  });

  it("I12: an ownership row that does not have what is left", () => {
    assert.deepEqual(checkPlaces({ ...PLACES, available: null }, "now"), []);
    sees(checkPlaces({ ...PLACES, available: 8 }, "now"), "I12", /8 of event concert can be sold/);
  });

  it("I6 and I7: a lost place, and rows that are never booked", () => {
    const after = { ...PLACES, active: 10, capacity: 0 };
    assert.deepEqual(checkSoldOut(PLACES, 7, after), []);
    sees(
      checkSoldOut(PLACES, 6, { ...after, active: 9 }),
      "I6",
      /event concert had 7 places left, 6 were sold/,
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
      "concurrent lists have no order",
    );
  });

  it("I11: TRY_AGAIN for a key that is sold", () => {
    const again = (started: number): Entry =>
      entry({ ...SOLD_OUT, status: 503, code: "TRY_AGAIN", started, ended: started + 5 });
    assert.deepEqual(checkTryAgain([again(0), entry({ started: 6, ended: 10 })]), []);
    assert.deepEqual(checkTryAgain([again(8), entry({})]), [], "beside the sale");
    sees(checkTryAgain([entry({}), again(11)]), "I11", /was sold, and answered TRY_AGAIN/);
  });

  it("I10: a stale list, an early refusal and a double sale, in the order of the journal", () => {
    const rows: Rows = {
      places: [{ ...PLACES, active: 2, capacity: 8 }],
      tickets: [ticket("a", "t1"), ticket("b", "t1")],
      waiting: [],
      ledger: [],
    };
    const list = (started: number, tickets: string[], more: Partial<Entry> = {}): Entry =>
      entry({
        op: "list",
        event: undefined,
        key: "",
        started,
        ended: started + 5,
        tickets,
        ...more,
      });
    const judged = (entries: Entry[], imports: ImportEntry[] = []) =>
      checkAnswers({ entries, imports, sales: new Map() }, rows, 4);
    assert.deepEqual(judged([entry({}), list(8, []), list(12, ["a", "b"], { cancelled: [] })]), []);
    sees(judged([entry({}), list(12, [])]), "I10", /no order .* list → \[\]/);
    sees(judged([entry({}), list(12, ["a", "b"], { cancelled: ["a"] })]), "I10", /a cancelled/);
    sees(judged([entry({}), list(12, ["a", "b", "c"])]), "I10", /has c, which has no row/);
    sees(judged([entry({}), list(12, ["a", "b"], { pages: 2 })]), "I10", /not judged: 1 lists/);

    const refused = entry({ ...SOLD_OUT, user: "bob", transaction: "t2", started: 20, ended: 30 });
    sees(judged([entry({}), refused]), "I10", /sold out too early: at least 8/);
    const raised = { event: "concert", started: 25, ended: 40, outcome: "imported" as const };
    const journal = { entries: [entry({}), refused], imports: [{ ...raised, total: 10 }] };
    const sales = new Map([["concert", { total: 3, startsAtMs: undefined }]]);
    assert.deepEqual(checkAnswers({ ...journal, sales }, rows, 4), []);

    sees(judged([entry({}), entry({ tickets: ["a", "z"] })]), "I10", /one key has two answers/);
    const limit: Partial<Entry> = {
      ...SOLD_OUT,
      code: "PURCHASE_LIMIT_REACHED",
      started: 20,
      ended: 30,
    };
    sees(judged([entry({}), entry({ ...limit, transaction: "t3" })]), "I10", /LIMIT_REACHED/);
    assert.deepEqual(judged([entry({}), entry({ ...limit, transaction: "t3", quantity: 3 })]), []);
    assert.deepEqual(judged([entry(LOST)]), []);
  });
});
