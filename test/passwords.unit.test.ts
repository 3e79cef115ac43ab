// Hashing takes a core and 19 MiB at a time: how much of it may happen at once, or wait, is bounded and exact.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createPasswords, hasPasswordLength } from "../services/auth/passwords.ts";

describe("passwords", () => {
  it("lets two be computed and 48 wait; the next is refused at once, and all is as before when they are done", async () => {
    const passwords = createPasswords();
    const settled: string[] = [];
    const all = Array.from({ length: 60 }, async (_, index) => {
      const answer = await passwords.hash(`password number ${index}`);
      settled.push(answer.ok ? "hashed" : answer.refusal.code);
      return answer.ok;
    });
    const hashed = await Promise.all(all);
    assert.deepEqual(
      settled.slice(0, 10),
      Array.from({ length: 10 }, () => "TRY_AGAIN"),
      "refusals come first",
    );
    assert.deepEqual(
      hashed.map((ok, index) => ok === index < 50),
      hashed.map(() => true),
      "nobody overtakes",
    );
    assert.ok((await passwords.hash("one more password")).ok);
  });

  it("never matches an account that is not there, not even with the password of the hash it is compared with", async () => {
    const passwords = createPasswords();
    assert.deepEqual(await passwords.matches(undefined, "the hash that stands for no account"), { ok: true, value: false });
    const hashed = await passwords.hash("correct horse battery");
    assert.ok(hashed.ok);
    assert.deepEqual(await passwords.matches(hashed.value, "correct horse battery"), { ok: true, value: true });
    assert.deepEqual(await passwords.matches(hashed.value, "correct horse batterY"), { ok: true, value: false });
  });

  it("counts code points", () => {
    assert.deepEqual(["x".repeat(11), "🎟".repeat(11), "x".repeat(129)].map(hasPasswordLength), [false, false, false]);
    assert.deepEqual(["x".repeat(12), "🎟".repeat(12), "🎟".repeat(128)].map(hasPasswordLength), [true, true, true]);
  });
});
