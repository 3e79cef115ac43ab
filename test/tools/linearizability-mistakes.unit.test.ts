import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkLinearizability, type Verdict } from "../../tools/chaos/checks/linearizability.ts";
import type { EventStatus } from "../../domain/event-record.ts";
import type { EventHistory, Operation } from "../../tools/chaos/checks/linearizability/history.ts";
import { LIMITS } from "../support/linearizability/random-history.ts";

const at = (started: number, ended: number, user = "ada") => ({ user, started, ended });
const buy = (
  when: ReturnType<typeof at>,
  transaction: string,
  quantity: number,
  answer: Extract<Operation, { op: "buy" }>["answer"] | "sold" | "EVENT_SOLD_OUT" | "LIMIT",
): Operation => ({
  op: "buy",
  ...when,
  transaction,
  quantity,
  answer:
    answer === "sold"
      ? { type: "sold", tickets: idsOf(transaction, quantity) }
      : answer === "LIMIT"
        ? { type: "refused", code: "PURCHASE_LIMIT_REACHED" }
        : typeof answer === "string"
          ? { type: "refused", code: answer }
          : answer,
});
const cancel = (when: ReturnType<typeof at>, ticket: string): Operation => ({
  op: "cancel",
  ...when,
  ticket,
  answer: { type: "cancelled" },
});
const list = (when: ReturnType<typeof at>, ...ids: string[]): Operation => ({
  op: "list",
  ...when,
  tickets: ids.map((id) => ({ id })),
});

function idsOf(transaction: string, quantity: number): string[] {
  return Array.from({ length: quantity }, (_, index) => `${transaction}.${index + 1}`);
}

function judge(total: number, operations: Operation[], more: Partial<EventHistory> = {}): Verdict {
  return checkLinearizability({ event: "concert", total, limits: LIMITS, operations, ...more });
}

function flags(verdict: Verdict, text: RegExp): void {
  assert.equal(verdict.type, "violated", JSON.stringify(verdict));
  assert.match("texts" in verdict ? verdict.texts.join("\n") : "", text);
}

function passes(verdict: Verdict): void {
  assert.equal(verdict.type, "linearizable", JSON.stringify(verdict));
}

/** Each mistake is beside its control: nearly the same history, which is right. */
describe("the linearizability checker sees", () => {
  it("a stale list after a 201", () => {
    passes(judge(10, [buy(at(0, 10), "t1", 1, "sold"), list(at(9, 12))]));
    flags(
      judge(10, [buy(at(0, 10), "t1", 1, "sold"), list(at(11, 12))]),
      /no order of the first 2 operations explains 11\.0–12\.0 ms ada: list → \[\]/,
    );
    const seen = [buy(at(0, 90), "t1", 1, "sold"), list(at(10, 20), "t1.1")];
    passes(judge(10, [...seen, list(at(15, 30))]));
    flags(judge(10, [...seen, list(at(25, 30))]), /ada: list → \[\]/);
  });

  it("a list that shows a cancelled ticket as active", () => {
    const operations = [buy(at(0, 1), "t1", 1, "sold"), cancel(at(2, 3), "t1.1")];
    const stale = (started: number): Operation => ({
      op: "list",
      ...at(started, 9),
      tickets: [{ id: "t1.1", cancelled: false }],
    });
    passes(judge(10, [...operations, stale(2.5)]));
    flags(judge(10, [...operations, stale(4)]), /list/);
  });

  it("an early SOLD_OUT, answered while places were free during the whole interval", () => {
    const bob = buy(at(20, 40, "bob"), "t2", 2, "EVENT_SOLD_OUT");
    passes(judge(4, [buy(at(30, 50), "t1", 3, "sold"), bob]));
    flags(
      judge(4, [buy(at(41, 50), "t1", 3, "sold"), bob]),
      /sold out too early: at least 4 places were free during 20\.0–40\.0 ms bob/,
    );
  });

  it("an early SOLD_OUT that only the order shows, not the bounds", () => {
    // Either purchase alone makes bob's answer right, but carol's needs the other one later.
    const operations = (carol: number) => [
      buy(at(0, 100), "t1", 2, "sold"),
      buy(at(0, 10, "bob"), "t2", 2, "EVENT_SOLD_OUT"),
      buy(at(carol, 30, "carol"), "t3", 2, "sold"),
      buy(at(40, 50, "eve"), "t5", 1, "sold"),
      cancel(at(60, 70, "eve"), "t5.1"),
    ];
    passes(judge(5, [...operations(5), buy(at(5, 100, "dan"), "t4", 2, { type: "unknown" })]));
    flags(judge(5, operations(20)), /sold out too early|no order/);
  });

  it("places left that no moment had", () => {
    const left = (available: number) => ({
      type: "refused" as const,
      code: "EVENT_SOLD_OUT",
      available,
    });
    const sold = [buy(at(0, 10), "t1", 2, "sold"), buy(at(0, 10, "bob"), "t2", 1, "sold")];
    for (const available of [0, 1, 2, 3])
      passes(judge(3, [...sold, buy(at(0, 10, "carol"), "t3", 4, left(available))]));
    flags(judge(3, [...sold, buy(at(11, 12, "carol"), "t3", 4, left(1))]), /EVENT_SOLD_OUT \(1\)/);
  });

  it("a double sale of one key", () => {
    const again = (tickets: string[]) => buy(at(20, 30), "t1", 1, { type: "sold", tickets });
    passes(judge(10, [buy(at(0, 10), "t1", 1, "sold"), again(["t1.1"])]));
    flags(judge(10, [buy(at(0, 10), "t1", 1, "sold"), again(["x"])]), /one key has two answers/);
    const row = (id: string) => ({ id, user: "ada", transaction: "t1", cancelled: false });
    const lost = buy(at(0, 10), "t1", 1, { type: "unknown" });
    for (const tickets of [[], [row("t1.1")]]) passes(judge(10, [lost], { settled: { tickets } }));
    flags(
      judge(10, [buy(at(0, 10), "t1", 1, "sold")], {
        settled: { tickets: [row("t1.1"), row("t1.2")] },
      }),
      /the rows of a sale are t1\.1, t1\.2/,
    );
    // Both sales take places: only one place of three can be missing.
    flags(
      judge(3, [buy(at(0, 9), "t1", 1, "sold"), again(["t1.1"]), soldOut("bob", 3, 1)]),
      /EVENT_SOLD_OUT/,
    );
  });

  it("a cancel that freed two places", () => {
    const operations = [
      buy(at(0, 1), "t1", 2, "sold"),
      cancel(at(2, 3), "t1.1"),
      buy(at(4, 5, "bob"), "t2", 1, "sold"),
    ];
    const next = buy(at(6, 7, "carol"), "t3", 1, "sold");
    passes(judge(2, operations));
    passes(judge(3, [...operations, next]));
    flags(judge(2, [...operations, next]), /sold too much: at most 0 places were free/);
    const rows = ["t1.1", "t1.2"].map((id) => ({
      id,
      user: "ada",
      transaction: "t1",
      cancelled: id === "t1.1",
    }));
    const settled = (available: number) => ({
      settled: { tickets: rows, places: { total: 2, available } },
    });
    passes(judge(2, operations.slice(0, 2), settled(1)));
    flags(judge(2, operations.slice(0, 2), settled(2)), /2 places are free at the end/);
  });

  it("a limit refusal that was never true", () => {
    const two = [buy(at(0, 10), "t1", 2, "sold"), buy(at(50, 60), "t2", 2, "sold")];
    passes(judge(10, [...two, buy(at(30, 55), "t3", 1, "LIMIT")]));
    flags(judge(10, [...two, buy(at(30, 49), "t3", 1, "LIMIT")]), /PURCHASE_LIMIT_REACHED/);
    flags(
      judge(10, [...two, cancel(at(70, 80), "t1.1"), buy(at(81, 82), "t3", 1, "LIMIT")]),
      /PURCHASE_LIMIT_REACHED/,
    );
  });

  it("a refusal of a sold key, a sale after the start, and a TRY_AGAIN that sold", () => {
    const sold = buy(at(0, 10), "t1", 1, "sold");
    flags(judge(1, [sold, buy(at(20, 30), "t1", 1, "EVENT_SOLD_OUT")]), /EVENT_SOLD_OUT/);
    passes(judge(1, [sold], { startsAtMs: 5 }));
    flags(judge(1, [buy(at(6, 10), "t1", 1, "sold")], { startsAtMs: 5 }), /sold t1\.1/);
    const tryAgain = buy(at(0, 10), "t1", 1, { type: "refused", code: "TRY_AGAIN" });
    const tickets = [{ id: "t1.1", user: "ada", transaction: "t1", cancelled: false }];
    passes(judge(1, [tryAgain], { settled: { tickets: [] } }));
    flags(judge(1, [tryAgain], { settled: { tickets } }), /without a request/);
  });

  it("a SOLD_OUT that an import had made wrong", () => {
    const raised: Operation = {
      op: "import",
      ...at(20, 30, "feed"),
      total: 5,
      answer: { type: "imported" },
    };
    const sold = buy(at(0, 10), "t1", 1, "sold");
    passes(judge(1, [sold, raised, soldOut("bob", 25, 1)]));
    flags(judge(1, [sold, raised, soldOut("bob", 31, 1)]), /sold out too early/);
    // Imports at one time leave two possible totals behind, also after a quiet moment.
    const change = (ended: number, total: number): Operation => ({
      ...raised,
      ...at(0, ended, "feed"),
      total,
    });
    for (const changes of [
      [change(9, 1), change(10, 5)],
      [change(9, 5), change(10, 1)],
    ]) {
      passes(judge(3, [...changes, soldOut("bob", 20, 2)]));
      passes(judge(3, [...changes, buy(at(20, 30, "bob"), "t2", 4, "sold")]));
      flags(
        judge(3, [...changes, soldOut("bob", 20, 2), buy(at(40, 50, "eve"), "t2", 4, "sold")]),
        /no order/,
      );
    }
    passes(judge(1, [sold, raised, buy(at(25, 40, "bob"), "t2", 4, "sold")]));
    flags(judge(1, [sold, raised, buy(at(11, 19, "bob"), "t2", 4, "sold")]), /sold too much/);
  });

  it("a sale of a cancelled event, and a refusal before or after it was", () => {
    const change = (when: ReturnType<typeof at>, status: EventStatus): Operation => ({
      op: "import",
      ...when,
      total: 9,
      status,
      answer: { type: "imported" },
    });
    const off = [change(at(20, 30, "feed"), "cancelled"), change(at(50, 60, "feed"), "scheduled")];
    for (const [started, ended] of [
      [0, 20],
      [25, 29],
      [51, 55],
      [61, 70],
    ] as const)
      passes(judge(9, [...off, buy(at(started, ended), "t1", 1, "sold")]));
    flags(judge(9, [...off, buy(at(31, 49), "t1", 1, "sold")]), /sold t1\.1/);
    const refused = (started: number, ended: number, code = "EVENT_CANCELLED") =>
      judge(9, [...off, buy(at(started, ended), "t1", 1, refusedBy(code))]);
    for (const [started, ended] of [
      [19, 21],
      [31, 49],
      [59, 61],
    ] as const)
      passes(refused(started, ended));
    flags(refused(0, 19), /EVENT_CANCELLED/);
    flags(refused(61, 70), /EVENT_CANCELLED/);
    flags(refused(31, 49, "EVENT_POSTPONED"), /EVENT_POSTPONED/);
    const sold = buy(at(0, 10), "t1", 1, "sold");
    passes(judge(9, [...off, sold, buy(at(31, 49), "t1", 1, "sold"), cancel(at(32, 40), "t1.1")]));
    flags(judge(9, [...off, sold, buy(at(31, 49), "t1", 1, refusedBy("EVENT_CANCELLED"))]), /t1/);
    passes(
      judge(9, [buy(at(0, 1), "t1", 1, refusedBy("EVENT_POSTPONED"))], { status: "postponed" }),
    );
  });
});

function refusedBy(code: string) {
  return { type: "refused" as const, code };
}

function soldOut(user: string, started: number, quantity: number): Operation {
  return buy(at(started, started + 10, user), `${user} ${started}`, quantity, "EVENT_SOLD_OUT");
}
