// Transaction ids must never change: another id for the same key would sell twice.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import {
  cancellationId,
  purchaseId,
  transactionKey,
} from "../../services/purchasing/tickets/transaction-id.ts";

const USER = "01890000-0000-7000-8000-00000000000a";
const EVENT = "01890000-0000-7000-8000-00000000000b";

describe("a transaction id", () => {
  const secrets = [
    "a",
    "a secret of the usual length, 48 characters long",
    "ß→𝄞",
    "x".repeat(128),
    "y".repeat(129),
    "z".repeat(5_000),
  ];
  const keys = ["k", "key-1", "", "ÿ".repeat(255), "→".repeat(255), "k".repeat(255), "a|b"];

  it("is the HMAC-SHA512 of its parts, for any length of secret and any characters", () => {
    for (const secret of secrets) {
      const made = transactionKey(secret);
      const expected = (text: string): string =>
        createHmac("sha512", secret).update(text).digest("hex");
      // Long keys first, short keys after: nothing of an earlier key may remain.
      for (const key of [...keys, ...keys.toReversed()]) {
        assert.equal(purchaseId(made, USER, EVENT, key), expected(`buy|${USER}|${EVENT}|${key}`));
        assert.equal(cancellationId(made, USER), expected(`cancel|${USER}`));
      }
    }
  });

  it("depends on every part", () => {
    assert.throws(
      () => purchaseId(transactionKey("secret"), USER, EVENT, "k".repeat(1_000)),
      /too long/,
    );
  });
});
