import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isServerError, isUnavailable, orRetryLater } from "../../lib/database/pool.ts";
import { quickestOfThree } from "../support/wait-for.ts";

const coded = (code: string, message = "a fault"): Error =>
  Object.assign(new Error(message), { code });

describe("an error of a statement", () => {
  it("proves that nothing was committed only if PostgreSQL itself refused it", () => {
    for (const code of ["23505", "55P03", "57014", "BX001", "53100"])
      assert.ok(isServerError(coded(code)), code);
    // The connection ended or never opened: the statement may have committed.
    for (const code of ["08006", "57P01", "57P03", "EPIPE", "EPERM", "EBADF", "ECONNRESET"])
      assert.ok(!isServerError(coded(code)), code);
    assert.ok(!isServerError(new Error("Query read timeout")));
  });

  it("tells an unavailable PostgreSQL from a wrong statement", () => {
    for (const code of [
      "53100",
      "53300",
      "57014",
      "57P01",
      "55P03",
      "08006",
      "ECONNREFUSED",
      "EPIPE",
    ])
      assert.ok(isUnavailable(coded(code)), code);
    assert.ok(isUnavailable(new Error("Query read timeout")));
    for (const code of ["42601", "22P02", "23505"]) assert.ok(!isUnavailable(coded(code)), code);
    assert.ok(!isUnavailable(new TypeError("a bug")));
  });
});

describe("a read", () => {
  const word = async (read: () => Promise<{ ok: true; value: string }>): Promise<string> => {
    const answer = await orRetryLater(read);
    return answer.ok ? answer.value : answer.refusal.code;
  };

  it("is TRY_AGAIN while PostgreSQL is down or silent, and throws our own faults", async () => {
    assert.equal(await word(async () => ({ ok: true, value: "read" })), "read");
    assert.equal(await word(() => Promise.reject(coded("ECONNREFUSED"))), "TRY_AGAIN");
    await assert.rejects(
      word(() => Promise.reject(coded("42601"))),
      { code: "42601" },
    );
    const silenceMs = await quickestOfThree(1_500, async () =>
      assert.equal(await word(() => new Promise(() => undefined)), "TRY_AGAIN"),
    );
    assert.ok(silenceMs < 1_500, `${silenceMs} ms`);
  });
});
