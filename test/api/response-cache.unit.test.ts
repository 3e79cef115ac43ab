import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import { AUTH_ROUTES } from "../../services/api/routes/auth.routes.ts";
import { CATALOG_ROUTES } from "../../services/api/routes/catalog.routes.ts";
import {
  createResponseCache,
  type GatewayCounts,
  type CachedResponse,
  type ResponseCache,
  newGatewayCounts,
} from "../../services/api/handling/response-cache.ts";
import { TICKET_ROUTES } from "../../services/api/routes/ticket.routes.ts";

const TRY_AGAIN = refused("TRY_AGAIN");

describe("answers that the gateway keeps", () => {
  let counts: GatewayCounts;
  let kept: ResponseCache;
  let nowMs: number;
  let asked: number;
  let next: Answer<unknown>;
  beforeEach(() => {
    [counts, nowMs, asked, next] = [newGatewayCounts(), 1_000, 0, accepted("one")];
    kept = createResponseCache(counts, 10_000, () => nowMs);
  });
  const answer = async (key = "k", value?: unknown): Promise<unknown> => {
    const given = await kept.answer(key, () => {
      asked += 1;
      return Promise.resolve(value === undefined ? next : accepted(value));
    });
    return given.ok ? JSON.parse(given.value.body.toString()) : given.refusal.code;
  };

  it("are fresh for three quarters of a second from the asking on, and a second old at most while the catalog answers", async () => {
    await answer();
    next = accepted("two");
    nowMs += 749;
    assert.deepEqual([await answer(), asked], ["one", 1]);
    nowMs += 1;
    assert.deepEqual(
      [await answer(), asked],
      ["one", 2],
      "a stale response is served and revalidated",
    );
    assert.deepEqual([await answer(), asked], ["two", 2]);
    next = accepted("three");
    nowMs += 1_000;
    assert.deepEqual([await answer(), asked], ["three", 3]);
    const slow = kept.answer("slow", () => {
      nowMs += 900;
      return Promise.resolve(accepted("slow"));
    });
    await slow;
    nowMs += 100;
    assert.equal(await answer("slow"), "three");
    assert.deepEqual(counts, { hits: 3, misses: 4, stale: 0, notModified: 0 });
  });

  it("keep what was compressed while nothing changes", async () => {
    const first = await kept.answer("k", () => Promise.resolve(next));
    nowMs += 5_000;
    const same = await kept.answer("k", () => Promise.resolve(next));
    assert.ok(first.ok && same.ok && first.value === same.value);
    nowMs += 5_000;
    const other = await kept.answer("k", () => Promise.resolve(accepted("two")));
    assert.ok(other.ok && other.value !== first.value);
  });

  it("are serialized once, as long as the catalog returns the same value", async () => {
    const value = {
      spelled: 0,
      toJSON: () => (value.spelled += 1),
    };
    for (let round = 0; round < 3; round++) {
      await kept.answer("k", () => Promise.resolve(accepted(value)));
      nowMs += 5_000;
    }
    assert.equal(value.spelled, 1);
  });

  it("are asked for once by however many at a time", async () => {
    let give: (answer: Answer<unknown>) => void = () => undefined;
    const all = Array.from({ length: 50 }, async () =>
      kept.answer("k", () => {
        asked += 1;
        return new Promise((resolve) => (give = resolve));
      }),
    );
    give(accepted("one"));
    const values = (await Promise.all(all)).map(
      (given) => (given as { value: CachedResponse }).value,
    );
    assert.deepEqual([asked, new Set(values).size], [1, 1]);
  });

  it("stand in for ten minutes while the catalog says TRY_AGAIN, which is asked every half second, and no other question's", async () => {
    await answer();
    next = TRY_AGAIN;
    nowMs += 60_000;
    assert.deepEqual([await answer(), await answer(), asked], ["one", "one", 2]);
    assert.equal(await answer("another"), "TRY_AGAIN");
    nowMs += 500;
    assert.deepEqual([await answer(), asked], ["one", 4]);
    next = accepted("two");
    nowMs += 500;
    assert.equal(await answer(), "one");
    assert.equal(await answer(), "two");
    next = TRY_AGAIN;
    nowMs += 599_999;
    assert.equal(await answer(), "two");
    nowMs += 1;
    assert.equal(await answer(), "TRY_AGAIN");
  });

  it("are successes only, and gone with the first other answer", async () => {
    await answer();
    next = refused("EVENT_NOT_FOUND");
    nowMs += 1_000;
    assert.deepEqual(
      [await answer(), await answer(), asked],
      ["EVENT_NOT_FOUND", "EVENT_NOT_FOUND", 3],
    );
    next = TRY_AGAIN;
    assert.equal(await answer(), "TRY_AGAIN");
    await assert.rejects(async () => kept.answer("k", () => Promise.reject(new Error("a fault"))));
  });

  it("take no more memory than they may: the one that was not asked for the longest goes", async () => {
    const text = "x".repeat(1_000);
    for (let index = 0; index < 6; index++) {
      nowMs += 500;
      await answer(`k${index}`, text);
      await answer("popular", text);
    }
    next = accepted("new");
    nowMs += 100;
    assert.deepEqual(
      [await answer("popular"), await answer("k5"), await answer("k0")],
      [text, text, "new"],
    );
    assert.equal(await answer("huge", "x".repeat(20_000)), "x".repeat(20_000));
    assert.equal(await answer("huge"), "new");
  });

  it("are those of public reads alone, named one by one", () => {
    const routes = [...AUTH_ROUTES, ...CATALOG_ROUTES, ...TICKET_ROUTES].filter(
      (route) => route.cached,
    );
    assert.deepEqual(
      routes
        .map(
          ({ method, auth, path, cookie }) => `${method} ${auth} ${path}${cookie ? " cookie" : ""}`,
        )
        .sort(),
      [
        "GET public /api/events",
        "GET public /api/events/filters",
        "GET public /api/events/{eventId}",
      ],
    );
  });
});
