// Hashing takes a core and 19 MiB: the numbers of running and waiting hashes have exact bounds.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hash } from "@node-rs/argon2";
import { accepted, refused } from "../../domain/refusal.ts";
import { createPasswords, hasPasswordLength } from "../../services/auth/password-hashing.ts";

describe("passwords", () => {
  it("computes two and lets 48 wait; refuses the next at once, and then recovers", async () => {
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
      "first in, first out",
    );
    assert.ok((await passwords.hash("one more password")).ok);
  });

  it("never matches an unknown account, not even with the decoy's password", async () => {
    const passwords = createPasswords();
    const owner = (account: { passwordHash: string } | undefined, password: string) =>
      passwords.verifyOwner(() => Promise.resolve(accepted(account)), password);
    assert.deepEqual(await owner(undefined, "the decoy hash of unknown accounts"), {
      ok: true,
      value: undefined,
    });
    const hashed = await passwords.hash("correct horse battery");
    assert.ok(hashed.ok);
    const account = { passwordHash: hashed.value };
    const right = { owner: account, asTyped: false };
    assert.deepEqual(await owner(account, "correct horse battery"), { ok: true, value: right });
    assert.deepEqual(await owner(account, "correct horse batterY"), { ok: true, value: undefined });
  });

  it("S36: knows a password however its letters are typed, also by a hash of before", async () => {
    const passwords = createPasswords();
    const owner = async (passwordHash: string, password: string) => {
      const found = await passwords.verifyOwner(
        () => Promise.resolve(accepted({ passwordHash })),
        password,
      );
      return found.ok && found.value !== undefined ? found.value.asTyped : undefined;
    };
    const [nfc, nfd] = ["NFC", "NFD"].map((form) => "größer als Paläste".normalize(form));
    assert.ok(nfc !== undefined && nfd !== undefined && nfc !== nfd);
    for (const registered of [nfc, nfd]) {
      const hashed = await passwords.hash(registered);
      assert.ok(hashed.ok);
      assert.equal(await owner(hashed.value, nfc), false);
      assert.equal(await owner(hashed.value, nfd), false);
      assert.equal(await owner(hashed.value, nfc.toUpperCase()), undefined);
    }
    const before = await hash(nfd, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    assert.equal(await owner(before, nfd), true);
    assert.equal(await owner(before, nfc), undefined);
    assert.ok(
      !hasPasswordLength("ä".normalize("NFD").repeat(11)) &&
        hasPasswordLength("ä".normalize("NFD").repeat(128)),
    );
  });

  it("looks up no account for refused calls, and one only when its turn comes", async () => {
    const passwords = createPasswords();
    const looking = { now: 0, most: 0, all: 0 };
    const find = async () => {
      looking.all += 1;
      looking.now += 1;
      looking.most = Math.max(looking.most, looking.now);
      await new Promise(setImmediate);
      looking.now -= 1;
      return refused("EVENT_OVER");
    };
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => passwords.verifyOwner(find, "correct horse battery")),
    );
    const codes = answers.map((answer) => (answer.ok ? "" : answer.refusal.code));
    assert.deepEqual(looking, { now: 0, most: 2, all: 50 });
    assert.deepEqual(
      [
        codes.filter((code) => code === "EVENT_OVER").length,
        codes.filter((code) => code === "TRY_AGAIN").length,
      ],
      [50, 10],
    );
  });

  it("counts code points", () => {
    assert.deepEqual(["x".repeat(11), "🎟".repeat(11), "x".repeat(129)].map(hasPasswordLength), [
      false,
      false,
      false,
    ]);
    assert.deepEqual(["x".repeat(12), "🎟".repeat(12), "🎟".repeat(128)].map(hasPasswordLength), [
      true,
      true,
      true,
    ]);
  });
});
