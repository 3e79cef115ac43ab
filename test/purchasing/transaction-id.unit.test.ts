// The ids of sales must never change: another id for the same key would sell twice.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cancellationId, purchaseId } from "../../lib/ids.ts";

const USER = "01890000-0000-7000-8000-00000000000a";
const EVENT = "01890000-0000-7000-8000-00000000000b";

/** Ids as version 0.1.0 derived them. */
const KNOWN = [
  {
    secret: "a secret of the usual length, 48 characters long",
    keys: {
      "key-1":
        "69bd957ad17e11f043aabdf05e106333a784d67efc2f8891cea6da32b05cf1b0c4558253fdb9016e3aa47c14960eef93fedb344a7e4608ab73b3066b8729fa1b",
      "ÿ→𝄞|b":
        "02ca73f162e0782df3b3080d485beb8b4453db5ec3e50ff87f8dc6a85e67bdbcd017a2e39e35be83818fd7e7537424385798927f91942c932e31f73f9a70e59d",
    },
    cancellation:
      "76a30a4d68e419cea207009ce994ead0a215411938bb702dda3e4f426ebf6718f26395988b35dfa988a6c7104a569c13f4aa85e02f16fc3d95642a56f03a2e82",
  },
  {
    // Longer than a block of SHA-512.
    secret: "z".repeat(5_000),
    keys: {
      "key-1":
        "bce6ab3001688c943aee549a30567d1907cde792eee6f15f0eb2ec0759e1e3da823da7fabc1d43198b9dea42f5821bf6972dbdc47ddfaf43a7ccaa948b9c668f",
      "ÿ→𝄞|b":
        "738c9343893a7317d9e1972adb6a9d15d61eceb6bad9cd7b1cee293be301738ef97d65db91910549c6f92bb5a32b933b35c33f34c837f5f68c4f8df7ae4e6254",
    },
    cancellation:
      "1c1cac3567f2d46b2e0047737b176f7c3f0571634f77202f318bf19f0571bb9576a447129a179cdbd83cbc9ffe56507b63334121b667a536b6485abe56e4378f",
  },
];

describe("a transaction's id", () => {
  it("is byte for byte what it was in version 0.1.0", () => {
    for (const { secret, keys, cancellation } of KNOWN) {
      for (const [key, id] of Object.entries(keys))
        assert.equal(purchaseId(secret, USER, EVENT, key), id);
      assert.equal(cancellationId(secret, USER), cancellation);
    }
  });

  it("differs for another customer, event, key or secret", () => {
    const ids = [
      purchaseId("secret", USER, EVENT, "k"),
      purchaseId("secret", EVENT, EVENT, "k"),
      purchaseId("secret", USER, USER, "k"),
      purchaseId("secret", USER, EVENT, "l"),
      purchaseId("another", USER, EVENT, "k"),
      cancellationId("secret", USER),
    ];
    assert.equal(new Set(ids).size, ids.length);
  });
});
