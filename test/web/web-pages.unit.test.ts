// Rules of the pages, tested without a browser.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Code, Problem, problemOf } from "../../public/src/api/problem.ts";
import { randomFrom } from "../../public/src/artwork/random.ts";
import {
  daysOf,
  filtersFrom,
  NO_FILTERS,
  paramsOf,
  spanOf,
} from "../../public/src/search/filters.ts";
import { isSameRequest, prefetchPath } from "../../public/src/prefetch.ts";
import type { Engine, Event } from "../../public/src/api/types.ts";
import { type SaleState, saleStateOf } from "../../public/src/event/sale-state.ts";
import { SAMPLES_MAX, addSample, nextSample } from "../../public/src/engine/time-series.ts";
import { sparkPaths } from "../../public/src/engine/sparkline.ts";
import {
  afterProblem,
  isUnderWay,
  resumed,
  type OrderUnderWay,
} from "../../public/src/purchase/order-state.ts";
import { returnTo } from "../../public/src/session/return-to.ts";

const NOW = Date.UTC(2026, 10, 24, 12);
const order: OrderUnderWay = {
  pending: { key: "k", quantity: 2, sinceMs: NOW },
  tries: 0,
  outcomeUnknown: false,
};

describe("filters", () => {
  it("are read from an address and written to it, without values that the API refuses", () => {
    const address = "name=%20Jazz%20&location=K%C3%B6ln&from=2026-02-30&to=2026-12-24&page=3";
    const filters = filtersFrom(new URLSearchParams(address));
    assert.deepEqual(filters, { ...NO_FILTERS, name: "Jazz", location: "Köln", to: "2026-12-24" });
    assert.deepEqual(filtersFrom(paramsOf(filters)), filters);
    assert.equal(paramsOf(NO_FILTERS).toString(), "");
  });

  it("translate ranges of days, on each day of a week", () => {
    assert.deepEqual(daysOf("weekend", "2026-11-24"), { from: "2026-11-28", to: "2026-11-29" });
    assert.deepEqual(daysOf("weekend", "2026-11-28"), { from: "2026-11-28", to: "2026-11-29" });
    assert.deepEqual(daysOf("weekend", "2026-11-29"), { from: "2026-11-29", to: "2026-11-29" });
    assert.deepEqual(daysOf("week", "2026-12-28"), { from: "2026-12-28", to: "2027-01-03" });
    for (const span of ["any", "today", "weekend", "week"] as const)
      assert.equal(spanOf(daysOf(span, "2026-11-24"), "2026-11-24"), span);
    assert.equal(spanOf({ from: "2026-11-01", to: "" }, "2026-11-24"), "other");
  });
});

describe("an order", () => {
  it("is retried after retryable answers, with back-off and not before Retry-After", () => {
    const first = afterProblem(order, new Problem("TRY_AGAIN"), 0.5);
    assert.deepEqual(first, { is: "waiting", code: "TRY_AGAIN", waitMs: 300, ...order, tries: 1 });
    const later = afterProblem(
      { ...order, tries: 6 },
      new Problem("TOO_MANY_REQUESTS", 9_000),
      0.5,
    );
    assert.ok(later.is === "waiting" && later.waitMs === 9_000);
    const longest = afterProblem({ ...order, tries: 6 }, new Problem("UNREACHABLE"), 0.999);
    assert.ok(longest.is === "waiting" && longest.waitMs > 7_000 && longest.waitMs <= 8_000);
  });

  it("stays of unknown outcome once an answer was lost, and pauses with its key", () => {
    for (const code of ["UNREACHABLE", "OUTCOME_UNKNOWN", "INTERNAL"] as const) {
      const lost = afterProblem(order, new Problem(code), 0);
      assert.ok(lost.is === "waiting" && lost.outcomeUnknown, code);
      const busy = afterProblem(lost, new Problem("TRY_AGAIN"), 0);
      assert.ok(
        busy.is === "waiting" && busy.outcomeUnknown,
        "TRY_AGAIN is about its own try only",
      );
    }
    const paused = afterProblem({ ...order, tries: 7 }, new Problem("TRY_AGAIN"), 0);
    assert.ok(
      paused.is === "paused" &&
        !paused.outcomeUnknown &&
        paused.pending.key === "k" &&
        isUnderWay(paused),
    );
  });

  it("ends with a final refusal", () => {
    for (const code of [
      "EVENT_SOLD_OUT",
      "EVENT_CANCELLED",
      "EVENT_POSTPONED",
      "EVENT_OVER",
      "PURCHASE_LIMIT_REACHED",
      "IDEMPOTENCY_KEY_REUSED",
    ] as Code[])
      assert.equal(
        afterProblem({ ...order, outcomeUnknown: true }, new Problem(code), 0).is,
        "refused",
        code,
      );
    assert.equal(afterProblem(order, new Problem("UNAUTHENTICATED"), 0).is, "refused");
    assert.equal(
      afterProblem({ ...order, outcomeUnknown: true }, new Problem("UNAUTHENTICATED"), 0).is,
      "paused",
      "its key is still needed",
    );
  });

  it("of an earlier page continues while it is recent, and asks the buyer later", () => {
    assert.equal(resumed(undefined, NOW).is, "idle");
    assert.deepEqual(resumed(order.pending, NOW + 5_000), {
      is: "sending",
      ...order,
      outcomeUnknown: true,
    });
    assert.equal(resumed(order.pending, NOW + 3_600_000).is, "paused");
  });
});

describe("what an event sells", () => {
  const sale = { status: "scheduled", startsAt: new Date(NOW + 1).toISOString(), available: 21 };

  it("is one state: the status, then the start, then what is left", () => {
    const states: [Partial<Event>, SaleState][] = [
      [{}, "available"],
      [{ available: 20 }, "few"],
      [{ available: 0 }, "soldOut"],
      [{ startsAt: new Date(NOW).toISOString() }, "started"],
      [{ startsAt: new Date(NOW).toISOString(), available: 0 }, "started"],
      [{ status: "postponed", startsAt: new Date(NOW).toISOString() }, "postponed"],
      [{ status: "cancelled", available: 0 }, "cancelled"],
    ];
    for (const [change, state] of states)
      assert.equal(saleStateOf({ ...sale, ...change } as Event, NOW), state);
  });
});

describe("the pages", () => {
  it("never redirect to another site after the sign-in", () => {
    const origin = "https://tickets.example";
    for (const bad of [
      null,
      "",
      "https://evil.example/",
      "//evil.example",
      "/\\evil.example",
      "javascript:alert(1)",
      "/\t/evil.example",
      "/.//evil.example/x",
      "/./\\evil.example/x",
      "/a/..//evil.example",
    ])
      assert.equal(new URL(returnTo(bad, origin), origin).origin, origin, String(bad));
    assert.equal(returnTo("//evil.example/x", origin), "/");
    assert.equal(returnTo("/events/1?quantity=2", origin), "/events/1?quantity=2");
  });

  it("read a proxy's page or a truncated body as UNREACHABLE", () => {
    assert.equal(problemOf(new Response("<html>", { status: 502 }), "<html>").code, "UNREACHABLE");
    const problem = problemOf(
      new Response(null, { status: 503, headers: { "Retry-After": "2" } }),
      {
        code: "TRY_AGAIN",
      },
    );
    assert.deepEqual([problem.code, problem.retryAfterMs], ["TRY_AGAIN", 2_000]);
  });

  it("prefetch their first request, in any spelling of the address", () => {
    const path =
      prefetchPath({ pathname: "/", search: "?location=S%C3%A3o+Paulo&from=nonsense" }) ?? "";
    assert.ok(
      isSameRequest(path, "http://x/api/events?limit=24&location=S%C3%A3o%20Paulo", "http://x"),
      path,
    );
    assert.ok(!isSameRequest(path, "http://x/api/events?limit=24", "http://x"));
    assert.equal(prefetchPath({ pathname: "/tickets", search: "" }), undefined);
  });

  it("draw the same poster for the same event, and others for others", () => {
    const draw = (id: string): number[] => Array.from({ length: 20 }, randomFrom(id));
    assert.deepEqual(draw("a"), draw("a"));
    assert.notDeepEqual(draw("a"), draw("b"));
    assert.ok(draw("a").every((number) => number >= 0 && number < 1));
  });

  it("compute rates from two reports, also after a worker restarted", () => {
    const worker = {
      node: "n",
      epoch: 1,
      batch: 1,
      available: 1,
      mailbox: 3,
      largestBatch: 1,
      degraded: false,
    };
    const report = (at: number, sales: [string, number][], hits: number): Engine => ({
      at: new Date(NOW + at).toISOString(),
      nodes: [],
      workerCount: sales.length,
      ledger: null,
      queue: null,
      streams: {},
      workers: sales.map(([eventId, tickets]) => ({ ...worker, eventId, sales: 1, tickets })),
      layers: { gateway: {}, catalog: { hits, misses: 10 } },
    });
    const first = report(0, [["a", 100]], 10);
    assert.equal(nextSample(undefined, first).sales, undefined, "one report gives no rate");
    const next = nextSample(first, report(2_000, [["a", 160], ["b", 20]], 40)); // prettier-ignore
    assert.deepEqual(
      [next.sales, next.waiting, next.redis, next.kept, next.lagMs],
      [40, 6, 1, undefined, undefined],
    );
    assert.equal(nextSample(first, report(1_000, [["a", 5]], 10)).sales, 5);
    const kept = addSample([{ sales: 1 }], first, report(8_000, [["a", 140]], 10), 2_000);
    assert.deepEqual(
      kept.map(({ sales }) => sales),
      [1, undefined, undefined, undefined, 5],
      "three polls were left out",
    );
    const longAgo = addSample(kept, first, report(3_600_000, [["a", 140]], 10), 2_000);
    assert.equal(longAgo.length, SAMPLES_MAX);
  });

  it("plot samples: the latest at the right, one as a dot, unknown ones as gaps", () => {
    assert.deepEqual(sparkPaths([5]), {
      line: "M120.0 0.0h0",
      area: "M120.0 40L120.0 0.0L120.0 40Z",
    });
    const { line, area } = sparkPaths([0, 4, undefined, 2, 2]);
    assert.match(line, /^M111\.9 40\.0L113\.9 0\.0M118\.0 20\.0L120\.0 20\.0$/);
    assert.equal(area.match(/Z/g)?.length, 2);
    assert.equal(
      sparkPaths(Array.from({ length: SAMPLES_MAX }, () => 0)).line.slice(0, 8),
      "M0.0 40.",
    );
    assert.deepEqual(sparkPaths([undefined]), { line: "", area: "" });
  });
});
